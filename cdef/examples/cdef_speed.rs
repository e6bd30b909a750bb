//! How long a cdef takes to parse: `cdef_speed FILE [REPEATS]` prints the best time on the wall and the mean time
//! on the CPU (freeing included) in seconds, the bytes of memory that the declarations keep (Linux), and the
//! seconds for a new type string.

use std::time::Instant;

use keelback_cdef::{Declarations, ParseOptions};

/// The resident memory of this process in bytes; 0 where there is no `/proc`.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages * 4096
}

/// Seconds of CPU time of this process where the system counts it (Linux), so that other processes do not disturb the
/// measurement; elsewhere wall time.
fn now(start: Instant) -> f64 {
    let schedstat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let on_cpu: Option<f64> = schedstat
        .split(' ')
        .next()
        .and_then(|nanoseconds| nanoseconds.parse().ok());
    on_cpu.map_or_else(
        || start.elapsed().as_secs_f64(),
        |nanoseconds| nanoseconds / 1e9,
    )
}

fn main() {
    let begin = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().expect("usage: cdef_speed FILE [REPEATS]");
    let repeats: u32 = arguments
        .next()
        .map_or(5, |text| text.parse().expect("a number"));
    let text = std::fs::read_to_string(&file).expect("a readable file");
    let parse = || {
        let mut declarations = Declarations::default();
        if let Err(errors) = declarations.parse(&text, &ParseOptions::default()) {
            eprintln!("{}", errors[0].render(false));
            std::process::exit(1);
        }
        declarations
    };
    let before = resident();
    let mut kept = parse();
    let memory = resident().saturating_sub(before);
    // The system counts in steps of some milliseconds, so all repeats are timed together.
    let start = now(begin);
    let mut best = f64::INFINITY;
    for _ in 0..repeats.max(1) {
        let start = Instant::now();
        let declarations = parse();
        best = best.min(start.elapsed().as_secs_f64());
        drop(declarations);
    }
    let mean = (now(begin) - start) / f64::from(repeats.max(1));
    let count = 50_000;
    let start = now(begin);
    for index in 0..count {
        let text = format!("unsigned long(*)(const char *, int(*)[{index}])");
        kept.parse_type(&text).expect("a type");
    }
    let string = (now(begin) - start) / f64::from(count);
    println!("{best:.9} {mean:.9} {memory} {string:.9}");
}
