//! What a plugin's or an extension module's record says of its declarations: the cdef texts, the answers of the C
//! compiler, and where the compiler did not agree.

use std::ffi::{CStr, c_char};
use std::sync::Arc;

use keelback_cdef::{
    Answer, Declarations, Diagnostic, DiagnosticKind, EnumId, Item, Layout, LayoutError,
    ParseOptions, RecordId, Target,
};
use keelback_codegen::abi::{
    KEELBACK_CDEF_AS_CFFI, KEELBACK_CDEF_EMBEDDING_API, KEELBACK_CDEF_OVERRIDE,
    KEELBACK_CDEF_PACKED, keelback_cdef_t, keelback_plugin_t,
};
use rustc_hash::FxHashMap;

use super::attachment::ffi_and_lib_of;
use super::builder::include_module;
use crate::library::Lib;
use crate::py::{Ref, Res};
use crate::raise;
use crate::scope::{Disagreements, Scope};

/// Reads the declarations of a plugin. Returns the libs of the modules that it includes.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
pub unsafe fn declare(
    scope: &Arc<Scope>,
    name: &str,
    record: *const keelback_plugin_t,
) -> Res<Vec<Ref<Lib>>> {
    // SAFETY: `record` is a record by the ABI (the caller's contract): tables have as many items as it says.
    let (cdefs, includes) = unsafe {
        (
            table((*record).cdefs, (*record).cdef_count),
            table((*record).includes, (*record).include_count),
        )
    };
    let mut included = Vec::with_capacity(includes.len());
    let mut to_include = includes.iter().peekable();
    for position in 0..=cdefs.len() {
        while let Some(module) = to_include.next_if(|module| module.position <= position) {
            // SAFETY: `record` is a record by the ABI (the caller's contract), whose texts are C strings.
            included.push(include(scope, name, &unsafe { text(module.module_name) })?);
        }
        let Some(cdef) = cdefs.get(position) else {
            break;
        };
        // SAFETY: `record` is a record by the ABI (the caller's contract).
        unsafe { parse(&mut scope.write(), cdef) }.map_err(|errors| {
            let text: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
            raise!(
                ImportError,
                "the declarations of '{name}' are refused:\n{}",
                text.join("\n")
            )
        })?;
    }
    Ok(included)
}

/// What the C compiler answered when the plugin was built.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
pub unsafe fn answers(record: *const keelback_plugin_t) -> Vec<Answer> {
    // SAFETY: `record` is a record by the ABI (the caller's contract): tables have as many items as it says.
    unsafe { table((*record).answers, (*record).answer_count) }
        .iter()
        .map(|answer| Answer {
            value: answer.value,
            negative: answer.is_negative != 0,
        })
        .collect()
}

/// Remembers where the compiler did not agree with the declarations.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
pub unsafe fn compare(scope: &Scope, record: *const keelback_plugin_t) {
    // SAFETY: `record` is a record by the ABI (the caller's contract).
    let (found, enumerators) = unsafe { disagreements(scope, record) };
    scope.set_disagreements(found);
    for (id, index, value) in enumerators {
        scope.write().set_enumerator(id, index, value);
    }
}

/// Completes the declarations of an in-line FFI with what the compiler answered for a module made of them
/// (`ffi.verify()`). Gives the libs of the modules that it includes. What an earlier module has answered stays.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
pub unsafe fn complete(scope: &Arc<Scope>, record: *mut keelback_plugin_t) -> Res<Vec<Ref<Lib>>> {
    // SAFETY: `record` is a record by the ABI (the caller's contract), whose texts are C strings.
    let (name, first_function) = unsafe {
        let function = (*record).functions;
        let is_there = (*record).function_count > 0;
        (
            text((*record).module_name),
            is_there.then(|| text((*function).name)),
        )
    };
    if let Some(function) = first_function {
        return Err(crate::errors::raise_error(
            |errors| &errors.verification_error,
            format_args!("not implemented in verify(): 'extern_python {function}'"),
        ));
    }
    let fresh = Scope::new(Declarations::new(Target::host()));
    // SAFETY: `record` is a record by the ABI (the caller's contract).
    let (included, answers) = unsafe { (declare(&fresh, &name, record)?, answers(record)) };
    let other = |what: &str| {
        raise!(
            ImportError,
            "the module '{name}' was compiled from other declarations than those of this ffi ({what}): remove it, or \
             give another modulename"
        )
    };
    {
        let (ours, theirs) = (scope.read(), fresh.read());
        if ours.items.len() < theirs.items.len() {
            return Err(other("it has more"));
        }
    }
    let asked = fresh.read().questions();
    if asked.len() != answers.len() {
        return Err(other("their `...` differ"));
    }
    let known: FxHashMap<_, _> = asked.into_iter().zip(answers).collect();
    let wanted: Option<Vec<Answer>> = scope
        .read()
        .questions()
        .iter()
        .map(|question| known.get(question).copied())
        .collect();
    let wanted = wanted.ok_or_else(|| other("their `...` differ"))?;
    let answered = scope.write().answer(&wanted);
    if let Err(error) = answered {
        return Err(crate::errors::raise_diagnostics(&[*error]));
    }
    // SAFETY: `record` is a record by the ABI (the caller's contract).
    let (found, enumerators) = unsafe { disagreements(scope, record) };
    match first_disagreement(&scope.read(), found, &enumerators) {
        Some(message) => Err(crate::errors::raise_error(
            |errors| &errors.verification_error,
            format_args!("{message}"),
        )),
        None => Ok(included),
    }
}

/// What `ffi.verify()` refuses, in its words: it does not wait until a type is used.
fn first_disagreement(
    declarations: &Declarations,
    found: Disagreements,
    enumerators: &[(EnumId, u32, i128)],
) -> Option<String> {
    if let Some((_, error)) = found.records.iter().min_by_key(|(id, _)| id.index()) {
        let message = error.message.replacen("cdef says", "we have", 1);
        let end = message.find(". fix it").unwrap_or(message.len());
        return Some(message[..end].to_owned());
    }
    let value = |name: &str| match declarations.lookup_ordinary(name) {
        Some(Item::Constant(index)) => declarations.constants[index as usize].value,
        _ => None,
    };
    if let Some((name, theirs)) = found.real_values.iter().min() {
        let ours = value(name).unwrap_or_default();
        return Some(format!("{name} has the real value {theirs}, not {ours}"));
    }
    enumerators.iter().find_map(|&(id, index, theirs)| {
        let all = declarations.types.enumeration(id).enumerators.as_deref()?;
        let enumerator = all.get(index as usize)?;
        let ours = enumerator.value.filter(|&ours| ours != theirs)?;
        Some(format!(
            "{}: {} has the real value {theirs}, not {ours}",
            declarations.enum_name(id),
            declarations.types.text(enumerator.name)
        ))
    })
}

/// Imports a module, and makes its declarations visible: `ffi.include()`. Gives its lib.
fn include(scope: &Arc<Scope>, importer: &str, name: &str) -> Res<Ref<Lib>> {
    let (module, _ffi) = include_module(scope, importer, name)?;
    // SAFETY: the GIL is held; objects are live.
    unsafe {
        let lib = match ffi_and_lib_of(&module) {
            Some((_ffi, own)) => own,
            None => module.live().attribute(c"lib")?,
        };
        match crate::library::Lib::of(lib.live()) {
            Some(_) => Ok(Ref::borrow(lib.obj().cast())),
            None => Err(raise!(
                ImportError,
                "while loading {importer}: the included module '{name}' was not made by keelback"
            )),
        }
    }
}

/// Where the compiler of an extension module did not agree with its declarations, and its values of enumerators.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
unsafe fn disagreements(
    scope: &Scope,
    record: *const keelback_plugin_t,
) -> (Disagreements, Vec<(EnumId, u32, i128)>) {
    let mut found = Disagreements::default();
    let declarations = scope.read();
    // SAFETY: `record` is a record by the ABI (the caller's contract).
    unsafe {
        compare_layouts(scope, &declarations, record, &mut found);
        let enumerators = compare_values(&declarations, record, &mut found);
        (found, enumerators)
    }
}

/// The sizes and places that the compiler found other than the declarations say.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
unsafe fn compare_layouts(
    scope: &Scope,
    declarations: &Declarations,
    record: *const keelback_plugin_t,
    found: &mut Disagreements,
) {
    // SAFETY: `record` is a record by the ABI (the caller's contract): tables have as many items as it says.
    let layouts = unsafe { table((*record).layouts, (*record).layout_count) };
    let records = records_by_name(declarations);
    let (whole, members): (Vec<_>, Vec<_>) = layouts.iter().partition(|fact| fact.member.is_null());
    for fact in members.into_iter().chain(whole) {
        // SAFETY: `record` is a record by the ABI (the caller's contract), whose texts are C strings.
        let (name, member) = unsafe { (text(fact.record), text(fact.member)) };
        let Some(&id) = records.get(&*name) else {
            continue;
        };
        let Ok(layout) = scope.layout(declarations, id) else {
            continue;
        };
        let message = if fact.member.is_null() {
            let sizes = (fact.size as isize, fact.offset as u32);
            found.sizes.insert(id, sizes);
            wrong_place(
                declarations,
                id,
                "wrong total size".into(),
                layout.size,
                fact.size,
            )
        } else {
            let place = member_place(scope, declarations, id, &layout, &member);
            place.and_then(|(offset, size)| {
                let what = |what: &str| format!("wrong {what} for field '{member}'");
                wrong_place(declarations, id, what("offset"), offset, fact.offset)
                    .or_else(|| wrong_place(declarations, id, what("size"), size, fact.size))
            })
        };
        if let Some(message) = message {
            // What is wrong with a member says more than what is wrong with the whole.
            found.records.entry(id).or_insert(LayoutError {
                kind: DiagnosticKind::Verification,
                message,
                span: declarations.types.record(id).span,
            });
        }
    }
}

/// What is said of a number of bytes that the compiler does not agree with.
fn wrong_place(
    declarations: &Declarations,
    id: RecordId,
    what: String,
    ours: u64,
    theirs: usize,
) -> Option<String> {
    let name = declarations.record_name(id);
    (ours != theirs as u64).then(|| {
        format!(
            "{name}: {what} (cdef says {ours}, but C compiler says {theirs}). fix it or use \"...;\" as the last \
             field in the cdef for {name} to make it flexible"
        )
    })
}

/// The constants that have another value for the compiler. Gives the enumerators' values, which count as they are.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
unsafe fn compare_values(
    declarations: &Declarations,
    record: *const keelback_plugin_t,
    found: &mut Disagreements,
) -> Vec<(EnumId, u32, i128)> {
    let mut enumerators = Vec::new();
    // SAFETY: `record` is a record by the ABI (the caller's contract): tables have as many items as it says.
    let values = unsafe { table((*record).values, (*record).value_count) };
    for fact in values {
        // SAFETY: `record` is a record by the ABI (the caller's contract), whose texts are C strings.
        let name = unsafe { text(fact.name) };
        let theirs = if fact.value.is_negative != 0 {
            i128::from(fact.value.value as i64)
        } else {
            i128::from(fact.value.value)
        };
        let ours = match declarations.lookup_ordinary(&name) {
            Some(Item::Constant(index)) => declarations.constants[index as usize].value,
            _ => {
                // As in CFFI, the C compiler's value of an enumerator counts, whatever the cdef says.
                if let Some((id, index)) = declarations.enumerator_place(&name) {
                    enumerators.push((id, index, theirs));
                }
                continue;
            }
        };
        if let Some(ours) = ours
            && ours != theirs
        {
            let shown = if theirs <= 0 {
                format!("{theirs}")
            } else {
                format!("{theirs} (0x{theirs:x})")
            };
            let message =
                format!("the C compiler says '{name}' is equal to {shown}, but the cdef disagrees");
            found.real_values.insert(name.clone(), theirs);
            found.values.insert(name, message);
        }
    }
    enumerators
}

/// Offset and size of a record's member, which may be one of an anonymous member.
fn member_place(
    scope: &Scope,
    declarations: &Declarations,
    id: RecordId,
    layout: &Layout,
    member: &str,
) -> Option<(u64, u64)> {
    let fields = declarations.types.record(id).fields.iter().flatten();
    fields.zip(&layout.fields).find_map(|(field, place)| {
        if let Some(name) = field.name {
            return (declarations.types.text(name) == member).then_some((place.offset, place.size));
        }
        let inner = declarations.anonymous_member(field)?;
        let layout = scope.layout(declarations, inner).ok()?;
        let (offset, size) = member_place(scope, declarations, inner, &layout, member)?;
        Some((place.offset + offset, size))
    })
}

/// The records by their names in generated C.
fn records_by_name(declarations: &Declarations) -> FxHashMap<String, RecordId> {
    let mut records = FxHashMap::default();
    for item in &declarations.items {
        if let Item::Record(id) = *item
            && let Some(name) = declarations.record_in_c(id)
        {
            records.entry(name).or_insert(id);
        }
    }
    records
}

/// Parses the text of a cdef.
///
/// # Safety
/// `cdef` is a cdef by the ABI: `file` is NULL or a C string, `text` has `length` bytes.
unsafe fn parse(
    declarations: &mut Declarations,
    cdef: &keelback_cdef_t,
) -> Result<(), Vec<Diagnostic>> {
    // SAFETY: `file` is NULL or a C string and `text` has `length` bytes (the caller's contract).
    let (file, source) = unsafe { (text(cdef.file), bytes(cdef.text, cdef.length)) };
    let source = String::from_utf8_lossy(source);
    let options = ParseOptions {
        file: if file.is_empty() { None } else { Some(&file) },
        override_: cdef.flags & KEELBACK_CDEF_OVERRIDE != 0,
        packed: cdef.flags & KEELBACK_CDEF_PACKED != 0,
        pack: (cdef.pack != 0).then_some(cdef.pack),
        embedding_api: cdef.flags & KEELBACK_CDEF_EMBEDDING_API != 0,
        as_cffi: cdef.flags & KEELBACK_CDEF_AS_CFFI != 0,
        of_headers: true,
        // Only texts of headers still contain other macros: at build time they were refused in all others.
        other_macros: true,
    };
    // The warnings were shown at build time.
    declarations.parse(&source, &options)?;
    declarations.forget_forced_names();
    Ok(())
}

/// A C string's text; empty for NULL.
///
/// # Safety
/// `text` is NULL, or a C string.
pub unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: `text` is not NULL, and so a C string (the caller's contract).
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// The bytes at an address; none for NULL.
///
/// # Safety
/// `data` is NULL, or points to `length` bytes that stay, unchanged, for `'a`.
pub unsafe fn bytes<'a>(data: *const c_char, length: usize) -> &'a [u8] {
    // SAFETY: `data` is NULL, or points to `length` bytes that stay (the caller's contract).
    unsafe { table(data.cast(), length) }
}

/// The items at an address; none for NULL.
///
/// # Safety
/// `items` is NULL, or points to `count` items that stay, unchanged, for `'a`.
unsafe fn table<'a, T>(items: *const T, count: usize) -> &'a [T] {
    if items.is_null() {
        return &[];
    }
    // SAFETY: `items` is not NULL, and so points to `count` items that stay (the caller's contract).
    unsafe { std::slice::from_raw_parts(items, count) }
}
