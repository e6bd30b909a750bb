//! Reads files with declarations: plain cdefs unchanged, headers preprocessed.
use std::io::Read as _;
use std::path::Path;

use keelback_cdef::Declarations;
use keelback_cdef::header::{self, Header, HeaderFile, PartKind};
use keelback_codegen::CdefText;
use keelback_compiler::headers::{self, Wanted};

use crate::arguments::{CdefFile, DeclarationArguments, PreprocessArguments};
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::input::{Input, Inputs};

/// The declarations of the files.
pub struct Read {
    /// The texts for the parser.
    pub cdefs: Vec<CdefText>,
    /// The headers to include (spelled as behind `#include`) for types that the files take from elsewhere.
    pub includes: Vec<String>,
    /// A prelude that includes the headers that are not exported, for use if the user gives no prelude.
    pub prelude: Option<Input>,
}

/// Files of the command line, and the options for reading them.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// In order.
    pub files: &'a [CdefFile],
    /// Folders, macros and patterns.
    pub preprocessing: &'a PreprocessArguments,
    /// `--packed`
    pub packed: bool,
    /// `--pack`
    pub pack: Option<u32>,
}

/// Reads the files that the command line names.
pub fn read(
    arguments: &DeclarationArguments,
    inputs: &mut Inputs,
    reporter: &Reporter,
) -> Result<Read> {
    let named = Named {
        files: &arguments.in_order,
        preprocessing: &arguments.preprocessing,
        packed: arguments.packed,
        pack: arguments.pack,
    };
    read_named(named, inputs, reporter)
}

/// Reads files.
pub fn read_named(arguments: Named<'_>, inputs: &mut Inputs, reporter: &Reporter) -> Result<Read> {
    let files = arguments.files;
    let mut texts = Vec::new();
    for file in files {
        texts.push(inputs.read(&file.path, "declarations")?);
    }
    let preprocessing = arguments.preprocessing;
    if !texts.iter().any(|text| is_header(text, preprocessing)) {
        return Ok(Read {
            cdefs: plain(arguments, texts),
            includes: Vec::new(),
            prelude: None,
        });
    }
    let wanted = Wanted {
        packed: arguments.packed,
        pack: arguments.pack,
        ..wanted(preprocessing)
    };
    let header = preprocessed(files, &texts, &wanted, inputs, reporter)?;
    let first = texts.first().map_or("", |text| &text.name);
    let parts = header.parts.into_iter().chain(header.other_macros);
    let cdefs = parts.map(|part| {
        let is_included = part.kind == PartKind::Included;
        CdefText {
            file: first.to_owned(),
            text: part.text,
            embedding_api: part.kind == PartKind::Exported,
            packed: arguments.packed && !is_included,
            pack: arguments.pack.filter(|_| !is_included),
            preprocessed: true,
            included: is_included,
            ..CdefText::default()
        }
    });
    let mut cdefs: Vec<CdefText> = cdefs.collect();
    if cdefs.is_empty() {
        // The headers declare nothing: the plugin still needs one cdef.
        cdefs.push(CdefText {
            file: first.to_owned(),
            preprocessed: true,
            ..CdefText::default()
        });
    }
    Ok(Read {
        cdefs,
        includes: header.includes,
        prelude: prelude(files),
    })
}

/// A prelude that includes the headers if one of them is not exported, so that `lib` has what it declares. `None` if a
/// file is not a header.
fn prelude(files: &[CdefFile]) -> Option<Input> {
    let is_header = |file: &CdefFile| file.path.extension().is_some_and(|end| end == "h");
    if files.iter().all(|file| file.is_api) || !files.iter().all(is_header) {
        return None;
    }
    let mut text = String::new();
    for file in files {
        let name = file.path.file_name()?;
        // Two headers with the same file name are included by their whole paths.
        let is_name = |other: &&CdefFile| other.path.file_name() == Some(name);
        let path = if files.iter().filter(is_name).count() > 1 {
            std::path::absolute(&file.path).ok()?
        } else {
            name.into()
        };
        text.push_str(&format!("#include \"{}\"\n", path.to_str()?));
    }
    Some(Input {
        name: "<the headers>".to_owned(),
        text,
    })
}

/// The declarations of a module of API mode: a header is preprocessed, anything else is read by CFFI's rules.
pub fn of_module(
    path: &Path,
    text: Input,
    inputs: &mut Inputs,
    reporter: &Reporter,
) -> Result<Vec<CdefText>> {
    if !header::is_preprocessed(&text.text) {
        return Ok(vec![CdefText {
            file: text.name,
            text: text.text,
            as_cffi: true,
            ..CdefText::default()
        }]);
    }
    let file = CdefFile {
        path: path.to_owned(),
        is_api: false,
    };
    let (name, texts) = (text.name.clone(), [text]);
    let header = preprocessed(&[file], &texts, &Wanted::default(), inputs, reporter)?;
    let parts = header.parts.into_iter().chain(header.other_macros);
    let cdefs = parts.map(|part| CdefText {
        file: name.clone(),
        text: part.text,
        preprocessed: true,
        ..CdefText::default()
    });
    Ok(cdefs.collect())
}

/// The texts, unchanged, as cdefs.
fn plain(arguments: Named<'_>, texts: Vec<Input>) -> Vec<CdefText> {
    let files = texts.into_iter().zip(arguments.files);
    files
        .map(|(input, file)| CdefText {
            file: input.name,
            text: input.text,
            embedding_api: file.is_api,
            packed: arguments.packed,
            pack: arguments.pack,
            ..CdefText::default()
        })
        .collect()
}

/// The options of the command line as those of the preprocessor.
pub fn wanted(arguments: &PreprocessArguments) -> Wanted<'_> {
    Wanted {
        include_dirs: &arguments.include_dirs,
        defines: &arguments.defines,
        undefines: &arguments.undefines,
        only: &arguments.only,
        compiler: arguments.cc.as_deref(),
        comments: true,
        ..Wanted::default()
    }
}

/// Preprocesses the files, and reports the warnings.
pub fn preprocessed(
    files: &[CdefFile],
    texts: &[Input],
    wanted: &Wanted<'_>,
    inputs: &mut Inputs,
    reporter: &Reporter,
) -> Result<Header> {
    let named: Vec<HeaderFile<'_>> = files
        .iter()
        .zip(texts)
        .map(|(file, text)| HeaderFile {
            name: &text.name,
            text: &text.text,
            is_exported: file.is_api,
        })
        .collect();
    let wanted = Wanted {
        files: &named,
        ..*wanted
    };
    let known = Declarations::new(headers::target(wanted.compiler));
    let found = headers::read(&wanted, &known);
    for file in &found.files {
        // A header that an earlier build made may be made again.
        if is_made_by_us(file) {
            inputs.reads_made(file);
        } else {
            inputs.others_read(file)?;
        }
    }
    let header = found.header.map_err(|errors| {
        Failure::Input.because_of(errors.iter().map(Diagnostic::of_cdef).collect())
    })?;
    for pattern in &header.unmatched {
        let message = format!("no name matches --only '{pattern}'");
        reporter.report(&Diagnostic::warning("only", message).hint(
            "the pattern is for names that the named files declare: of functions, variables, types, enumerators, macros",
        ));
    }
    for warning in &header.warnings {
        reporter.report(&Diagnostic::of_cdef(warning));
    }
    Ok(header)
}

/// Whether a text must be preprocessed: `--only` is given, or the text has directives that a cdef cannot have, uses a
/// macro of the command line, or is a `.h` file with macros that are not integers.
fn is_header(text: &Input, arguments: &PreprocessArguments) -> bool {
    let defined = arguments.defines.iter().map(|define| {
        let end = define.find(['=', '(']).unwrap_or(define.len());
        &define[..end]
    });
    let undefined = arguments.undefines.iter().map(String::as_str);
    !arguments.only.is_empty()
        || header::is_preprocessed(&text.text)
        || defined
            .chain(undefined)
            .any(|name| header::mentions(&text.text, name))
        || text.name.ends_with(".h") && header::has_other_macros(&text.text)
}

/// Whether keelback made the file.
pub fn is_made_by_us(path: &Path) -> bool {
    let mut start = [0; MADE.len()];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start == *MADE)
}

/// The beginning of every file that codegen generates.
const MADE: &[u8; 20] = b"/* Made by keelback ";
