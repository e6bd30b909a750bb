//! Reads the description of a built plugin (`keelback_description_t` and what it points to) from its file. None of the
//! plugin's code runs, and it may be for another machine.
use std::mem::{offset_of, size_of};
use std::path::Path;

use keelback_cdef::{Declarations, FunctionOrigin, SourceId};
use keelback_codegen::CdefText;
use keelback_codegen::abi::*;
use object::{Object, ObjectSymbol};

use crate::diagnostic::{Diagnostic, Error, Failure};
use crate::image::{Image, ImageFile};

/// The section that has the description.
const SECTION: &str = ".keelback";

/// Why a plugin cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It is no plugin.
    NoPlugin(String),
    /// It is a plugin of another version.
    OtherVersion {
        /// The version of keelback that made it.
        keelback: String,
        /// Its ABI version.
        abi: u32,
    },
}

/// A plugin's contents.
pub struct Payload {
    /// The version of keelback that made it.
    pub keelback_version: String,
    /// The module name.
    pub module_name: String,
    /// KEELBACK_PLUGIN_ flags.
    pub flags: u32,
    /// The declarations.
    pub cdefs: Vec<CdefText>,
    /// The init code's name; none: it has no init code.
    pub init_file: Option<String>,
    /// Bytes of init code.
    pub init_length: u64,
    /// It has compiled init code.
    pub is_compiled: bool,
    /// The plugin's own modules.
    pub files: Vec<PayloadFile>,
    /// The names of the prelude that Python can use through `lib`.
    pub symbols: Vec<String>,
    /// The recorded places of Python and the runtime.
    pub recorded: Recorded,
    /// It carries its runtime.
    pub is_standalone: bool,
}

/// A file of the plugin's own modules.
pub struct PayloadFile {
    /// Its path among the modules.
    pub path: String,
    /// Importable by all Python code, under its own name.
    pub is_top_level: bool,
    /// In a development library, where it is on disk.
    pub place: Option<String>,
    /// Its size.
    pub length: u64,
}

/// Where Python and the runtime were at the build.
pub struct Recorded {
    /// The libpython.
    pub libpython: Option<String>,
    /// sys.base_prefix.
    pub home: Option<String>,
    /// The executable.
    pub executable: Option<String>,
    /// The runtime.
    pub runtime: Option<String>,
    /// "3.11"
    pub version: Option<String>,
}

/// How to find the description in memory: by its distance from an exported symbol.
pub struct Described {
    /// A symbol that the library exports.
    pub anchor: String,
    /// Its address in the file.
    pub anchor_address: u64,
    /// The address of the description in the file.
    pub description: u64,
}

/// Where the description of the plugin at `path` is after loading, if this process can load the plugin.
pub fn place(path: &Path) -> Result<Described, String> {
    read(path).map_err(|why| match why {
        Unreadable::NoPlugin(why) => why,
        Unreadable::OtherVersion { .. } => "it is one of another version".to_owned(),
    })?;
    let file = ImageFile::open(path)?;
    let image = Image::of(&file)?;
    let exported = image.file().dynamic_symbols().find_map(|symbol| {
        let name = symbol.name().ok()?;
        let is_anchor = symbol.is_definition() && name.starts_with("PyInit_");
        is_anchor.then(|| (name.to_owned(), symbol.address()))
    });
    let (anchor, anchor_address) = exported.ok_or("it exports no PyInit_NAME")?;
    let (description, _) = image.section(SECTION).ok_or("it has no description")?;
    Ok(Described {
        anchor,
        anchor_address,
        description,
    })
}

/// Reads the plugin at `path`.
pub fn read(path: &Path) -> Result<Payload, Unreadable> {
    let file = ImageFile::open(path).map_err(Unreadable::NoPlugin)?;
    let image = Image::of(&file).map_err(Unreadable::NoPlugin)?;
    let no_plugin = |why: &str| Unreadable::NoPlugin(why.to_owned());
    let (description, size) = image.section(SECTION).ok_or_else(|| {
        no_plugin("it has no description, which `keelback build` gives every plugin")
    })?;
    if !image.file().is_64() {
        return Err(no_plugin("it is for a machine with 32 bits"));
    }
    let damaged = || no_plugin("its description is damaged");
    if size < size_of::<keelback_description_t>() as u64 {
        return Err(damaged());
    }
    let plugin = image
        .pointer(description + offset_of!(keelback_description_t, plugin) as u64)
        .ok_or_else(damaged)?;
    let reader = Reader { image, plugin };
    let abi = reader
        .number(offset_of!(keelback_plugin_t, abi_version))
        .ok_or_else(damaged)?;
    let keelback = reader
        .text(offset_of!(keelback_plugin_t, keelback_version))
        .flatten()
        .ok_or_else(damaged)?;
    if abi != KEELBACK_ABI_VERSION {
        return Err(Unreadable::OtherVersion { keelback, abi });
    }
    reader.payload(description, keelback).ok_or_else(damaged)
}

struct Reader<'data> {
    image: Image<'data>,
    plugin: u64,
}

impl Reader<'_> {
    fn number(&self, offset: usize) -> Option<u32> {
        self.image.u32(self.plugin + offset as u64)
    }

    fn text(&self, offset: usize) -> Option<Option<String>> {
        self.image.text(self.plugin + offset as u64)
    }

    /// The addresses of a table's rows.
    fn rows(&self, table: usize, count: usize, size: usize) -> Option<Vec<u64>> {
        let from = self.image.pointer(self.plugin + table as u64)?;
        let count = self.image.u64(self.plugin + count as u64)?;
        // Check that the rows are in the file, so that a damaged count cannot exhaust the memory.
        self.image.bytes(from, count.checked_mul(size as u64)?)?;
        Some((0..count).map(|row| from + row * size as u64).collect())
    }

    fn payload(&self, description: u64, keelback_version: String) -> Option<Payload> {
        let length = |offset: usize| self.image.u64(self.plugin + offset as u64);
        let recorded = self
            .image
            .pointer(description + offset_of!(keelback_description_t, recorded) as u64)?;
        Some(Payload {
            keelback_version,
            module_name: self.text(offset_of!(keelback_plugin_t, module_name))??,
            flags: self.number(offset_of!(keelback_plugin_t, flags))?,
            cdefs: self.cdefs()?,
            init_file: self.text(offset_of!(keelback_plugin_t, init_file))?,
            init_length: length(offset_of!(keelback_plugin_t, init_code_length))?,
            is_compiled: length(offset_of!(keelback_plugin_t, init_compiled_length))? > 0,
            files: self.files()?,
            symbols: self.symbols()?,
            recorded: self.recorded(recorded)?,
            is_standalone: self
                .image
                .u32(description + offset_of!(keelback_description_t, is_standalone) as u64)?
                != 0,
        })
    }

    fn cdefs(&self) -> Option<Vec<CdefText>> {
        let rows = self.rows(
            offset_of!(keelback_plugin_t, cdefs),
            offset_of!(keelback_plugin_t, cdef_count),
            size_of::<keelback_cdef_t>(),
        )?;
        let cdef = |row: u64| {
            let at = |offset: usize| row + offset as u64;
            let flags = self.image.u32(at(offset_of!(keelback_cdef_t, flags)))?;
            let pack = self.image.u32(at(offset_of!(keelback_cdef_t, pack)))?;
            let from = self.image.pointer(at(offset_of!(keelback_cdef_t, text)))?;
            let length = self.image.u64(at(offset_of!(keelback_cdef_t, length)))?;
            let text = self.image.bytes(from, length)?;
            Some(CdefText {
                file: self.image.text(at(offset_of!(keelback_cdef_t, file)))??,
                text: String::from_utf8(text.to_vec()).ok()?,
                embedding_api: flags & KEELBACK_CDEF_EMBEDDING_API != 0,
                packed: flags & KEELBACK_CDEF_PACKED != 0,
                override_: flags & KEELBACK_CDEF_OVERRIDE != 0,
                as_cffi: flags & KEELBACK_CDEF_AS_CFFI != 0,
                pack: (pack != 0).then_some(pack),
                // Parse the text as the runtime does.
                preprocessed: true,
                ..CdefText::default()
            })
        };
        rows.into_iter().map(cdef).collect()
    }

    fn files(&self) -> Option<Vec<PayloadFile>> {
        let rows = self.rows(
            offset_of!(keelback_plugin_t, files),
            offset_of!(keelback_plugin_t, file_count),
            size_of::<keelback_file_t>(),
        )?;
        let file = |row: u64| {
            let at = |offset: usize| row + offset as u64;
            let flags = self.image.u32(at(offset_of!(keelback_file_t, flags)))?;
            Some(PayloadFile {
                path: self.image.text(at(offset_of!(keelback_file_t, path)))??,
                is_top_level: flags & KEELBACK_FILE_TOP_LEVEL != 0,
                place: self.image.text(at(offset_of!(keelback_file_t, place)))?,
                length: self.image.u64(at(offset_of!(keelback_file_t, length)))?,
            })
        };
        rows.into_iter().map(file).collect()
    }

    fn symbols(&self) -> Option<Vec<String>> {
        let rows = self.rows(
            offset_of!(keelback_plugin_t, symbols),
            offset_of!(keelback_plugin_t, symbol_count),
            size_of::<keelback_symbol_t>(),
        )?;
        let name = |row: u64| {
            let at = row + offset_of!(keelback_symbol_t, name) as u64;
            self.image.text(at)?
        };
        rows.into_iter().map(name).collect()
    }

    fn recorded(&self, from: u64) -> Option<Recorded> {
        let text = |offset: usize| self.image.text(from + offset as u64);
        Some(Recorded {
            libpython: text(offset_of!(keelback_recorded_t, libpython))?,
            home: text(offset_of!(keelback_recorded_t, home))?,
            executable: text(offset_of!(keelback_recorded_t, executable))?,
            runtime: text(offset_of!(keelback_recorded_t, runtime))?,
            version: text(offset_of!(keelback_recorded_t, version))?,
        })
    }
}

/// The declarations, and which of their texts are the interface.
pub struct Interface {
    /// All of them.
    pub declarations: Declarations,
    /// The exported texts; all texts if none is exported.
    pub own: Vec<SourceId>,
}

impl Interface {
    /// Parses texts as they are.
    ///
    /// # Errors
    /// The parser's errors.
    pub fn parse(cdefs: &[CdefText]) -> Result<Self, Vec<keelback_cdef::Diagnostic>> {
        let mut declarations = Declarations::default();
        for cdef in cdefs {
            declarations.parse(&cdef.text, &cdef.options())?;
        }
        let all = || (0..).map(SourceId).zip(cdefs);
        let exported = all().filter(|(_, cdef)| cdef.embedding_api);
        let mut own: Vec<SourceId> = exported.map(|(id, _)| id).collect();
        if own.is_empty() {
            own = all().map(|(id, _)| id).collect();
        }
        Ok(Self { declarations, own })
    }

    /// The same for the texts of the library at `path`. A build has checked them: one that does not parse is damaged.
    pub fn of_library(path: &Path, cdefs: &[CdefText]) -> Result<Self, Box<Error>> {
        Self::parse(cdefs).map_err(|errors| {
            let why = errors.first().map_or_else(String::new, ToString::to_string);
            let path = path.display();
            Failure::Input.because(
                Diagnostic::error(
                    "damaged",
                    format!("the declarations inside of {path} are damaged: {why}"),
                )
                .hint("build the library again, or copy it again"),
            )
        })
    }

    /// The interface for `keelback_cdef::compare`.
    pub fn compared(&self) -> keelback_cdef::compare::Interface<'_> {
        keelback_cdef::compare::Interface {
            declarations: &self.declarations,
            own: &self.own,
        }
    }

    /// The declarations of the functions that C can call.
    pub fn functions(&self) -> Vec<String> {
        let declarations = &self.declarations;
        let exported = declarations.functions.iter().filter(|function| {
            matches!(
                function.origin,
                FunctionOrigin::Exported | FunctionOrigin::ExternPythonC
            )
        });
        exported
            .map(|function| {
                let ty = keelback_cdef::QualType::plain(function.ty);
                declarations.c_declaration(ty, declarations.text(function.name))
            })
            .collect()
    }
}

impl Unreadable {
    /// As a failure of a command.
    pub fn failure(self, path: &Path) -> Box<Error> {
        let path = path.display();
        match self {
            Self::NoPlugin(why) => Failure::Usage.because(
                Diagnostic::error("no-plugin", format!("{path} is no plugin: {why}"))
                    .hint("name a library that `keelback build` made"),
            ),
            Self::OtherVersion { keelback, abi } => Failure::Usage.because(
                Diagnostic::error(
                    "plugin-version",
                    format!(
                        "{path} was made by keelback {keelback} (plugin ABI {abi}), and this is keelback {} (plugin ABI {KEELBACK_ABI_VERSION})",
                        env!("CARGO_PKG_VERSION")
                    ),
                )
                .hint("take the `keelback` that made it; `keelback abi` also compares headers"),
            ),
        }
    }
}
