//! The templates: whole files of C with placeholders, in `templates/`.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    for (name, text) in [
        ("plugin.c", include_str!("../templates/plugin.c")),
        ("header.h", include_str!("../templates/header.h")),
        (
            "plain_header.h",
            include_str!("../templates/plain_header.h"),
        ),
        ("header.hpp", include_str!("../templates/header.hpp")),
    ] {
        if let Err(error) = environment.add_template(name, text) {
            panic!("templates/{name}: {error}");
        }
    }
    environment
});

/// `keelback_abi.h`: what a plugin and the runtime share, made from [`abi`](crate::abi) by cbindgen. C99 and later, and C++.
pub const ABI_HEADER: &str = include_str!(concat!(env!("OUT_DIR"), "/keelback_abi.h"));

/// The interface between a plugin and its loader.
pub(crate) const LOADER_INTERFACE: &str = include_str!("../templates/loader_interface.h");

/// The loader, the same in every plugin: one text, whose parts are in the order in which they use each other.
pub(crate) const LOADER: &str = concat!(
    include_str!("../templates/loader/platform.c"),
    include_str!("../templates/loader/state.c"),
    include_str!("../templates/loader/fork.c"),
    include_str!("../templates/loader/text.c"),
    include_str!("../templates/loader/elf.c"),
    include_str!("../templates/loader/process.c"),
    include_str!("../templates/loader/installation.c"),
    include_str!("../templates/loader/place.c"),
    include_str!("../templates/loader/needs.c"),
    include_str!("../templates/loader/find_python.c"),
    include_str!("../templates/loader/note.c"),
    include_str!("../templates/loader/runtime.c"),
    include_str!("../templates/loader/carried.c"),
    include_str!("../templates/loader/find_runtime.c"),
    include_str!("../templates/loader/start.c"),
    include_str!("../templates/loader/entry.c"),
    include_str!("../templates/loader/end.c"),
);

/// The template `name`, filled in.
///
/// # Panics
/// If a template does not fit its context. The tests render every template.
pub(crate) fn render(name: &str, context: impl Serialize) -> String {
    let rendered = TEMPLATES
        .get_template(name)
        .and_then(|template| template.render(Serde(context)));
    match rendered {
        // The engine removes the last newline of a template.
        Ok(text) => text + "\n",
        Err(error) => panic!("templates/{name}: {error:#}"),
    }
}
