//! The plugin behind an extension module that CFFI compiled: what `def_extern`, calls from C and the end of Python need
//! is the same.

use std::ffi::c_char;
use std::sync::{Arc, Mutex};

use keelback_codegen::abi::{
    KEELBACK_ABI_VERSION, KEELBACK_PLUGIN_EXTENSION_MODULE, keelback_function_t, keelback_plugin_t,
};

use crate::plugin::{Objects, Plugin};
use crate::whose;
use keelback_ffi::ffi::payload::text;
use keelback_ffi::py::{Ref, Res};
use keelback_ffi::scope::Scope;

impl Plugin {
    /// The plugin of a module that CFFI compiled, which has these functions that run Python.
    ///
    /// # Safety
    /// The name and the functions stay as long as the process.
    pub unsafe fn of_compiled(
        name: *const c_char,
        scope: Arc<Scope>,
        functions: Vec<*mut keelback_function_t>,
    ) -> Res<&'static Plugin> {
        // SAFETY: a struct of numbers and pointers, of which all may be zero; the name is a C string.
        let (record, name) = unsafe {
            let mut record: keelback_plugin_t = std::mem::zeroed();
            record.abi_version = KEELBACK_ABI_VERSION;
            record.flags = KEELBACK_PLUGIN_EXTENSION_MODULE;
            record.module_name = name;
            (Box::leak(Box::new(record)), text(name))
        };
        // SAFETY: a record that was leaked, and functions that stay.
        let plugin = unsafe { Self::register(record, name, scope, Vec::new(), &functions)? };
        plugin.make_ready();
        Ok(plugin)
    }

    /// Its Python objects. Once.
    pub fn set_objects(&'static self, ffi: Ref, lib: Ref, module: Ref) -> Res<()> {
        let module = Mutex::new(Some(module));
        let _ = self.objects.set(Objects { ffi, lib, module });
        if whose::is_main() {
            self.give_back_at_end()?;
        }
        Ok(())
    }
}
