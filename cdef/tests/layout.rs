//! Layouts against the C compilers of this machine: random structs and unions are described to both, and size,
//! alignment, offsets and the bits of every bit-field must agree. Clang also compiles for other machines: its answers
//! are then read from the object file.
//!
//! `KEELBACK_LAYOUT_SEEDS=FROM..TO` tries other seeds than the usual ones.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use keelback_cdef::{Declarations, Layouts, ParseOptions, Primitive, Target};
use object::{Object, ObjectSection, ObjectSymbol};

/// A small generator of repeatable random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

const PLAIN: &[&str] = &[
    "char",
    "signed char",
    "unsigned char",
    "short",
    "unsigned short",
    "int",
    "unsigned",
    "long",
    "unsigned long",
    "long long",
    "float",
    "double",
    "long double",
    "_Bool",
    "void *",
    "int (*)(void)",
    "float _Complex",
    "double _Complex",
    "long double _Complex",
    "enum color",
    "enum wide",
    "int16_t",
    "uint64_t",
    "wchar_t",
    "size_t",
];
const BITS: &[(&str, u64)] = &[
    ("char", 8),
    ("signed char", 8),
    ("unsigned char", 8),
    ("short", 16),
    ("unsigned short", 16),
    ("int", 32),
    ("unsigned", 32),
    ("long", 64),
    ("unsigned long", 64),
    ("long long", 64),
    ("unsigned long long", 64),
    ("_Bool", 1),
    ("enum color", 32),
    ("uint8_t", 8),
    ("int16_t", 16),
    ("uint32_t", 32),
    ("uint64_t", 64),
    ("a_int1", 32),
    ("a_long2", 64),
];

/// One field to compare: its name, and whether it is a bit-field.
type Names = Vec<(String, bool)>;

struct Generator {
    random: Random,
    long_bits: u64,
    /// Tags of the records made so far.
    records: Vec<String>,
    next: u32,
}

impl Generator {
    fn name(&mut self) -> String {
        self.next += 1;
        format!("f{}", self.next)
    }

    fn attribute(&mut self) -> &'static str {
        match self.random.below(24) {
            0 => " __attribute__((packed))",
            1 => " __attribute__((aligned(2)))",
            2 => " __attribute__((aligned(8)))",
            3 => " __attribute__((aligned(32)))",
            4 => " __attribute__((packed, aligned(4)))",
            _ => "",
        }
    }

    fn fields(&mut self, depth: u32, is_union: bool, names: &mut Names, text: &mut String) {
        let count = 1 + self.random.below(7);
        for index in 0..count {
            if self.random.one_in(2) {
                let (ty, width) = BITS[self.random.below(BITS.len() as u64) as usize];
                let width = if ty.ends_with("long") && !ty.ends_with("long long") {
                    self.long_bits
                } else {
                    width
                };
                if self.random.one_in(6) {
                    let bits = if self.random.one_in(2) {
                        0
                    } else {
                        1 + self.random.below(width)
                    };
                    let _ = writeln!(text, "    {ty} : {bits};");
                    continue;
                }
                let bits = 1 + self.random.below(width);
                let name = self.name();
                let attribute = if self.random.one_in(16) {
                    " __attribute__((packed))"
                } else {
                    ""
                };
                let _ = writeln!(text, "    {ty} {name} : {bits}{attribute};");
                names.push((name, true));
                continue;
            }
            let choice = self.random.below(12);
            if choice == 0 && depth < 3 {
                let keyword = *self.random.pick(&[&"struct", &"union"]);
                let attribute = self.attribute();
                let _ = writeln!(text, "    {keyword} {{");
                self.fields(depth + 1, keyword == "union", names, text);
                let _ = writeln!(text, "    }}{attribute};");
                continue;
            }
            let name = self.name();
            let attribute = self.attribute();
            if choice == 1 && !self.records.is_empty() {
                let record = self.random.below(self.records.len() as u64) as usize;
                let record = self.records[record].clone();
                let _ = writeln!(text, "    {record} {name}{attribute};");
            } else if choice == 2
                && depth == 0
                && index + 1 == count
                && !names.is_empty()
                && !is_union
            {
                let ty = self.random.pick(&["char", "int", "double", "short"]);
                let _ = writeln!(text, "    {ty} {name}[];");
            } else if choice == 3 {
                let (types, array) = match self.random.below(3) {
                    0 => (ALIGNED_ITEMS, "[2]"),
                    1 => (ALIGNED_ITEMS, ""),
                    _ => (ALIGNED, ""),
                };
                let ty = self.random.pick(types);
                let _ = writeln!(text, "    {ty} {name}{array}{attribute};");
            } else {
                let ty = self.random.pick(PLAIN);
                let array = match self.random.below(6) {
                    0 => format!("[{}]", 1 + self.random.below(5)),
                    1 if self.random.one_in(3) => "[2][3]".to_owned(),
                    2 if self.random.one_in(6) => "[0]".to_owned(),
                    _ => String::new(),
                };
                let declarator = if ty.contains("(*)") {
                    ty.replace("(*)", &format!("(*{name}{array})"))
                } else {
                    format!("{ty} {name}{array}")
                };
                let _ = writeln!(text, "    {declarator}{attribute};");
            }
            names.push((name, false));
        }
    }

    /// The text of a record, its tag, and what to compare in it.
    fn record(&mut self, number: u32) -> (String, String, Names) {
        let keyword = if self.random.one_in(4) {
            "union"
        } else {
            "struct"
        };
        let tag = format!("{keyword} r{number}");
        let mut names = Names::new();
        let mut text = String::new();
        let pack = match self.random.below(10) {
            0 => Some(1),
            1 => Some(2),
            2 => Some(4),
            3 => Some(8),
            _ => None,
        };
        if let Some(pack) = pack {
            let _ = writeln!(text, "#pragma pack(push, {pack})");
        }
        let attribute = self.attribute();
        let _ = writeln!(text, "{tag} {{");
        self.fields(0, keyword == "union", &mut names, &mut text);
        let _ = writeln!(text, "}}{attribute};");
        if pack.is_some() {
            text.push_str("#pragma pack(pop)\n");
        }
        self.records.push(tag.clone());
        (text, tag, names)
    }
}

const HEADER: &str = "enum color { RED, GREEN, BLUE };\nenum wide { NARROW, WIDE = 0x100000000 };
typedef double a_double4 __attribute__((aligned(4)));
typedef int a_int1 __attribute__((aligned(1)));
typedef long long __attribute__((aligned(2))) a_long2;
typedef a_double4 a_again;
typedef const a_again a_const;
typedef a_again a_wide __attribute__((aligned(16)));
typedef char a_char2 __attribute__((aligned(2)));
typedef short a_shorts[3] __attribute__((aligned(1)));
typedef a_int1 a_items[2];
typedef struct a_tag { char c; double d; } a_struct __attribute__((aligned(2)));
typedef struct { char c; } a_single __attribute__((aligned(8)));
typedef a_double4 *a_pointer;
typedef void *a_pointer2 __attribute__((aligned(2)));
";
/// Types with an alignment of their own: those that may be items of an array, and all of them.
const ALIGNED_ITEMS: &[&str] = &[
    "a_double4",
    "a_int1",
    "a_long2",
    "a_again",
    "a_pointer",
    "a_items",
];
const ALIGNED: &[&str] = &[
    "a_const",
    "a_wide",
    "a_char2",
    "a_shorts",
    "a_struct",
    "a_single",
    "a_pointer2",
    "a_double4",
    "a_items",
];

/// Our layout, in the format that the C program prints.
fn ours(target: &Target, text: &str, tags: &[(String, Names)]) -> String {
    let mut declarations = Declarations::new(target.clone());
    if let Err(errors) = declarations.parse(text, &ParseOptions::default()) {
        let all: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
        panic!("{}", all.join("\n"));
    }
    let mut layouts = Layouts::new();
    let mut report = String::new();
    for (tag, names) in tags {
        let bare = tag.split(' ').nth(1).expect("a tag");
        let id = declarations.lookup_record_tag(bare).expect("a record");
        let layout = layouts.layout(&declarations, id).expect("a layout");
        let _ = writeln!(report, "{tag} size {} align {}", layout.size, layout.align);
        for (name, is_bit_field) in names {
            let symbol = declarations.types.find_symbol(name).expect("a symbol");
            let found = layouts
                .find_field(&declarations, id, symbol)
                .expect("a layout");
            let place = found.expect("a field").layout;
            if *is_bit_field {
                let shift = u64::from(place.bit_offset.expect("a bit-field"));
                let first = place.offset * 8 + shift;
                let last = first + u64::from(place.bit_size) - 1;
                let _ = writeln!(report, "  {name} bits {first} to {last}");
            } else {
                let _ = writeln!(report, "  {name} at {}", place.offset);
            }
        }
    }
    report
}

/// The C compiler's layout in the same format. The bits of a bit-field are found by setting all of them and printing
/// the bytes.
fn theirs(compiler: &str, folder: &Path, text: &str, tags: &[(String, Names)]) -> Option<String> {
    let mut program = String::from(
        "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n\
         #include <wchar.h>\n",
    );
    program.push_str(text);
    program.push_str(
        "static void bits(const char *name, const unsigned char *p, size_t n) {\n\
             long first = -1, last = -1;\n\
             for (size_t i = 0; i < n * 8; i++)\n\
                 if (p[i / 8] >> i % 8 & 1) { if (first < 0) first = (long)i; last = (long)i; }\n\
             printf(\"  %s bits %ld to %ld\\n\", name, first, last);\n\
         }\nint main(void) {\n",
    );
    for (tag, names) in tags {
        let _ = writeln!(
            program,
            "  {{ static {tag} x; unsigned char *p = (unsigned char *)&x; (void)p;"
        );
        let _ = writeln!(
            program,
            "    printf(\"{tag} size %zu align %zu\\n\", sizeof x, _Alignof({tag}));"
        );
        for (name, is_bit_field) in names {
            let _ = if *is_bit_field {
                writeln!(
                    program,
                    "    memset(&x, 0, sizeof x); x.{name} = -1; bits(\"{name}\", p, sizeof x);"
                )
            } else {
                writeln!(
                    program,
                    "    printf(\"  {name} at %zu\\n\", offsetof({tag}, {name}));"
                )
            };
        }
        program.push_str("  }\n");
    }
    program.push_str("  return 0;\n}\n");
    let source = folder.join(format!("layout-{compiler}.c"));
    let binary = folder.join(format!("layout-{compiler}"));
    std::fs::write(&source, &program).expect("the program can be written");
    let compiled = compile(Command::new(compiler).arg("-o").arg(&binary).arg(&source))?;
    assert!(
        compiled.status.success(),
        "{compiler}: {}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let output = Command::new(&binary).output().expect("the program runs");
    Some(String::from_utf8(output.stdout).expect("plain text"))
}

/// Runs a compiler; `None` when it is not there.
fn compile(command: &mut Command) -> Option<Output> {
    let output = command.args(["-std=gnu11", "-w", "-O0"]).output();
    if output.is_err() {
        let compiler = command.get_program().to_string_lossy();
        eprintln!("skipped: {compiler} is not here (Debian: the package {compiler})");
    }
    output.ok()
}

/// Clang's layout for another machine in the same format: constants and objects, each with the bits of one bit-field
/// set, are read from the object file.
fn cross(triple: &str, folder: &Path, text: &str, tags: &[(String, Names)]) -> Option<String> {
    // These headers are clang's own: nothing of the other machine's system is needed.
    let mut program = format!("#include <stddef.h>\n#include <stdint.h>\n{text}");
    for (number, (tag, names)) in tags.iter().enumerate() {
        let _ = write!(
            program,
            "const uint64_t values_{number}[] = {{ sizeof({tag}), _Alignof({tag})"
        );
        for (name, _) in names.iter().filter(|(_, is_bit_field)| !is_bit_field) {
            let _ = write!(program, ", offsetof({tag}, {name})");
        }
        let _ = writeln!(program, " }};");
        for (name, _) in names.iter().filter(|(_, is_bit_field)| *is_bit_field) {
            let _ = writeln!(program, "{tag} bits_{name} = {{ .{name} = -1 }};");
        }
    }
    let source = folder.join(format!("layout-{triple}.c"));
    let file = folder.join(format!("layout-{triple}.o"));
    std::fs::write(&source, &program).expect("the program can be written");
    let compiled = compile(
        Command::new("clang")
            .arg(format!("--target={triple}"))
            .args(["-ffreestanding", "-c", "-o"])
            .arg(&file)
            .arg(&source),
    )?;
    let said = String::from_utf8_lossy(&compiled.stderr).into_owned();
    if said.contains("unknown target triple") || said.contains("No available targets") {
        eprintln!("skipped: this clang does not compile for {triple}");
        return None;
    }
    assert!(compiled.status.success(), "{triple}: {said}");
    let file = std::fs::read(&file).expect("the object is there");
    let file = object::File::parse(&*file).expect("an object file");
    let contents = |name: &str| {
        let symbol = file.symbol_by_name(name).expect("a symbol");
        let section = symbol.section_index().expect("it is defined");
        let section = file.section_by_index(section).expect("a section");
        let data = section.data().expect("contents");
        let from = (symbol.address() - section.address()) as usize;
        data[from..from + symbol.size() as usize].to_vec()
    };
    let mut report = String::new();
    for (number, (tag, names)) in tags.iter().enumerate() {
        let bytes = contents(&format!("values_{number}"));
        let mut values = bytes
            .chunks(8)
            .map(|value| u64::from_le_bytes(value.try_into().expect("eight bytes")));
        let mut value = || values.next().expect("a value for each field");
        let _ = writeln!(report, "{tag} size {} align {}", value(), value());
        for (name, is_bit_field) in names {
            if *is_bit_field {
                let bytes = contents(&format!("bits_{name}"));
                let mut set =
                    (0..bytes.len() * 8).filter(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1);
                let first = set.next().expect("a bit");
                let last = set.next_back().unwrap_or(first);
                let _ = writeln!(report, "  {name} bits {first} to {last}");
            } else {
                let _ = writeln!(report, "  {name} at {}", value());
            }
        }
    }
    Some(report)
}

/// A compiler to compare with.
#[derive(Clone, Copy, Debug)]
enum Peer {
    /// A compiler whose programs run here.
    Here(&'static str),
    /// Clang for another machine (the target triple), read from the object file.
    Clang(&'static str),
}

fn compare(seed: u64, count: u32, target: &Target, peers: &[Peer]) {
    let mut generator = Generator {
        long_bits: 8 * target.size_and_align(Primitive::Long).0,
        random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        records: Vec::new(),
        next: 0,
    };
    let mut text = HEADER.to_owned();
    let mut tags = Vec::new();
    for number in 0..count {
        let (record, tag, names) = generator.record(number);
        text.push_str(&record);
        if record.contains("[];") {
            // Strict C allows no struct with a flexible array inside of another struct.
            generator.records.pop();
        }
        tags.push((tag, names));
    }
    let folder = std::env::temp_dir().join(format!(
        "keelback-layout-{}-{}-{seed}",
        target.name.replace(' ', "-"),
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).expect("a folder for the program");
    let ours = ours(target, &text, &tags);
    let mut wrong = String::new();
    for &peer in peers {
        let answer = match peer {
            Peer::Here(compiler) => theirs(compiler, &folder, &text, &tags),
            Peer::Clang(triple) => cross(triple, &folder, &text, &tags),
        };
        let Some(theirs) = answer else {
            continue;
        };
        if ours == theirs {
            continue;
        }
        let mut record = "";
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            if !ours.starts_with(' ') {
                record = ours;
            }
            if ours != theirs {
                let tag = record.split(" size").next().unwrap_or_default();
                let from = text.find(&format!("{tag} {{")).unwrap_or(0);
                let to = text[from..]
                    .find("\n}")
                    .map_or(text.len(), |to| from + to + 40);
                let excerpt = &text[from.saturating_sub(24)..to.min(text.len())];
                let _ = writeln!(
                    wrong,
                    "seed {seed}, {record}: ours '{ours}', {peer:?} '{theirs}'\n{excerpt}"
                );
                break;
            }
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert!(wrong.is_empty(), "{wrong}");
}

fn compare_seeds(target: &Target, peers: &[Peer]) {
    let seeds = std::env::var("KEELBACK_LAYOUT_SEEDS").ok();
    let seeds = seeds.as_deref().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let mut failures = 0;
    for seed in seeds.unwrap_or(1..5u64) {
        let compared = std::panic::catch_unwind(|| compare(seed, 120, target, peers));
        failures += u32::from(compared.is_err());
    }
    assert_eq!(failures, 0);
}

#[test]
fn random_records_lie_as_the_compilers_lay_them() {
    compare_seeds(&Target::host(), &[Peer::Here("gcc"), Peer::Here("clang")]);
}

#[test]
fn random_records_lie_as_on_aarch64() {
    compare_seeds(&Target::AARCH64, &[Peer::Clang("aarch64-linux-gnu")]);
}

#[test]
fn random_records_lie_as_on_i386() {
    compare_seeds(&Target::I386, &[Peer::Clang("i386-linux-gnu")]);
}

/// Checks `cross`: for x86-64, the object file must give the same layout as a program that runs.
#[test]
fn an_object_file_tells_what_a_program_tells() {
    compare_seeds(&Target::X86_64_SYSV, &[Peer::Clang("x86_64-linux-gnu")]);
}
