//! The templates: whole files of C with holes in them, in `templates/`.

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
    ] {
        if let Err(error) = environment.add_template(name, text) {
            panic!("templates/{name}: {error}");
        }
    }
    environment
});

/// What a plugin and its loader know of each other.
pub(crate) const LOADER_INTERFACE: &str = include_str!("../templates/loader_interface.h");

/// The loader, the same in every plugin.
pub(crate) const LOADER: &str = include_str!("../templates/loader.c");

/// The template `name`, filled in.
///
/// # Panics
/// When a template does not fit its context: the tests render every one.
pub(crate) fn render(name: &str, context: impl Serialize) -> String {
    let rendered = TEMPLATES
        .get_template(name)
        .and_then(|template| template.render(Serde(context)));
    match rendered {
        // The engine takes a template's last newline away.
        Ok(text) => text + "\n",
        Err(error) => panic!("templates/{name}: {error:#}"),
    }
}
