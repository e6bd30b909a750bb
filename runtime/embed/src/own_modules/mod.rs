//! A plugin's own modules (`--module`): Python code and data that are inside the library, below the plugin's module.
//!
//! `find`: which file of which plugin has a module. `code`: compiling it, or taking what the build compiled. `finder`:
//! what the import system asks; `changes`: which files of a development library have run, and whether they changed.
//!
//! A plugin's modules are `NAME.rules`: nobody else's code meets them under another name, unless they were given as
//! top-level ones. Its own code may say `import rules` all the same, as python/keelback/_own_imports.py has it.

mod changes;
mod code;
mod find;
mod finder;

pub use changes::{Ran, forget_modules, have_changed, lock_ran};
pub use code::init_code;
pub use find::has_any;
pub use finder::install;
