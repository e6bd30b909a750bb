//! `keelback build`.

use std::path::PathBuf;
use std::time::Instant;

use tempfile::TempDir;

use crate::arguments::{BuildArguments, EmitForm};
use crate::compiler::{Compilation, Compiler, cannot_use_directory};
use crate::diagnostic::{Reporter, Result};
use crate::header_check::HeaderCheck;
use crate::headers::is_made_by_us;
use crate::input::Inputs;
use crate::interrupt;
use crate::machine::{self, Machine};
use crate::output::Outputs;
use crate::places::Places;
use crate::plugin;
use crate::prepared::Prepared;
use crate::progress::Progress;
use crate::sources::Sources;

/// `keelback build ...`
pub fn run(arguments: &BuildArguments, reporter: &Reporter) -> Result<()> {
    let started = Instant::now();
    plugin::check_module_name(&arguments.declarations.name)?;
    let mut places = Places::of(arguments);
    let mut early = places.others();
    early.insert(0, &places.output);
    let mut inputs = Inputs::beside(&early)?;
    let mut outputs = Outputs::for_paths(&early)?;
    for linked in linked_files(arguments) {
        inputs.others_read(&linked)?;
    }

    let mut sources = Sources::read(&arguments.declarations, &arguments.init, inputs, reporter)?;
    sources.debug = arguments.debug;
    let wants_compiler = arguments.emit != Some(EmitForm::C);
    if wants_compiler {
        let soversion = sources.declared.soversion();
        places.name_library(arguments.soversion.as_ref().or(soversion))?;
    }
    places.claim_library(&mut sources.inputs)?;
    let (prepared, compiler) = ask(sources, arguments, wants_compiler, reporter);
    let mut prepared = prepared?;
    let source = prepared.plugin.c_source();
    reporter.detail(format!(
        "generated {} bytes of C after {:.0} ms",
        source.len(),
        started.elapsed().as_secs_f64() * 1e3
    ));

    let compiled = match compiler {
        Some(compiler) => {
            let compiler = compiler?;
            compile(
                arguments,
                &places,
                &mut prepared,
                &source,
                &compiler,
                reporter,
            )
        }
        None => Ok(source.into_bytes()),
    };
    // Python has answered while the compiler ran. Report an error in the init code before the compiler's errors.
    prepared.check_init(reporter)?;
    let compiled = compiled?;
    if arguments.emit.is_none() {
        check_machine(&compiled, &prepared, &places)?;
    }
    add_library(&mut outputs, &places, &compiled, arguments.emit.is_some())?;
    prepared.add_texts(&places, &mut outputs)?;
    reporter.settle()?;
    outputs.commit()?;
    let written: Vec<String> = std::iter::once(&*places.output)
        .chain(places.others())
        .map(|path| path.display().to_string())
        .collect();
    reporter.detail(format!(
        "wrote {} after {:.0} ms",
        written.join(" and "),
        started.elapsed().as_secs_f64() * 1e3
    ));
    Ok(())
}

/// Asks Python and the compiler at once, as both are slow to answer.
fn ask(
    sources: Sources,
    arguments: &BuildArguments,
    wants_compiler: bool,
    reporter: &Reporter,
) -> (Result<Prepared>, Option<Result<Compiler>>) {
    let declarations = &arguments.declarations;
    let find = || {
        Compiler::find(
            declarations.preprocessing.cc.as_deref(),
            declarations.source.is_some(),
            arguments.debug,
        )
    };
    // The scope waits for the compiler also when something else fails, for it removes its temporary file then.
    std::thread::scope(|scope| {
        let compiler = wants_compiler.then(|| scope.spawn(find));
        let prepared = sources.prepare(declarations, &arguments.init, reporter);
        let compiler =
            compiler.map(|thread| thread.join().expect("finding the compiler does not panic"));
        (prepared, compiler)
    })
}

/// Refuses a library for another machine than that of the runtime and the libpython.
fn check_machine(compiled: &[u8], prepared: &Prepared, places: &Places) -> Result<()> {
    let Some(runtime) = &prepared.runtime else {
        return Ok(());
    };
    let parts = [
        ("the runtime", &**runtime),
        ("the libpython", &*prepared.libpython),
    ];
    machine::check(Machine::of(compiled), &places.output, &parts)
}

/// The library, and the links that lead to it; or the C file.
fn add_library(
    outputs: &mut Outputs,
    places: &Places,
    compiled: &[u8],
    is_text: bool,
) -> Result<()> {
    let mode = if is_text { 0o666 } else { 0o777 };
    if places.is_versions_link {
        outputs.replace(&places.library, compiled, mode)?;
    } else {
        outputs.add(&places.library, compiled, mode)?;
    }
    for (place, leads_to) in &places.links {
        outputs.link(place, leads_to)?;
    }
    Ok(())
}

/// The user's libraries that the linker finds in the directories of the command line.
fn linked_files(arguments: &BuildArguments) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in &arguments.library_dirs {
        for library in &arguments.libraries {
            match library.strip_prefix(':') {
                Some(name) => found.push(directory.join(name)),
                None => found.extend(
                    ["so", "a", "dylib"].map(|end| directory.join(format!("lib{library}.{end}"))),
                ),
            }
        }
    }
    found.retain(|path| path.exists());
    found
}

fn compile(
    arguments: &BuildArguments,
    places: &Places,
    prepared: &mut Prepared,
    source: &str,
    compiler: &Compiler,
    reporter: &Reporter,
) -> Result<Vec<u8>> {
    let make = || tempfile::Builder::new().prefix("keelback-").tempdir();
    let scratch = interrupt::temporary(make, TempDir::path).map_err(cannot_use_directory)?;
    let name = arguments.declarations.name.as_str();
    let prelude = arguments.declarations.source.as_deref();
    let prelude_name = prelude.map(|path| path.display().to_string());
    // `#include "x.h"` of the prelude means the file beside the prelude.
    let preprocessing = &arguments.declarations.preprocessing;
    let mut include_dirs = preprocessing.include_dirs.clone();
    include_dirs.extend(prelude.and_then(plugin::folder_of));
    include_dirs.extend(prepared.plugin.header_dirs().iter().cloned());
    let without_loader =
        (!arguments.init.standalone).then(|| prepared.plugin.c_source_without_loader());
    let _progress = Progress::start(reporter, "compiling");
    let compilation = Compilation {
        source,
        without_loader: without_loader.as_deref(),
        name,
        directory: scratch.path(),
        include_dirs: &include_dirs,
        defines: &preprocessing.defines,
        undefines: &preprocessing.undefines,
        library_dirs: &arguments.library_dirs,
        libraries: &arguments.libraries,
        soname: places.soname.as_deref(),
        prelude: prelude_name.as_deref(),
        cdefs: &prepared.plugin.cdefs(),
    };
    let library = compiler.run(&compilation, reporter)?;
    let header = places.header.as_deref();
    if let Some(path) = header.filter(|_| !arguments.declarations.header_includes.is_empty()) {
        let text = prepared.plugin.header();
        let includes = prepared.plugin.header_includes();
        HeaderCheck {
            text: &text,
            path,
            includes,
        }
        .run(compiler, &compilation, reporter)?;
    }
    for included in compilation.included() {
        // This build may overwrite a header that an earlier build made, although it reads it.
        if is_made_by_us(&included) {
            prepared.inputs.reads_made(&included);
        } else {
            prepared.inputs.others_read(&included)?;
        }
    }
    Ok(library)
}
