//! Where a bundle and its runtime are. The loader of a plugin (codegen/templates/loader/place.c) knows these names.

/// The runtime in a bundle: the loader of a plugin (codegen/templates/loader/place.c) looks for it there.
pub(super) const RUNTIME: &str = "lib/libkeelback_runtime.so";

/// The directory of a bundle that several plugins share, in theirs. The loader knows this name and that of [`name_of`].
pub const SHARED: &str = "keelback-bundle";

/// The directory of one plugin's bundle, in the plugin's.
pub fn name_of(module: &str) -> String {
    format!("{}.keelback", module.replace('.', "_"))
}
