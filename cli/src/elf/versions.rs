//! What a file needs of the machine it is loaded on.
use super::dynamic::DT_VERNEED;
use super::file::{Broken, Elf};

const PT_GNU_PROPERTY: u32 = 0x6474_e553;

impl Elf {
    /// Library and version of each symbol version that it needs: `libc.so.6`, `GLIBC_2.34`.
    pub fn needed_versions(&self) -> Result<Vec<(String, String)>, Broken> {
        let mut needed = Vec::new();
        let Some(address) = self.value(DT_VERNEED)? else {
            return Ok(needed);
        };
        let text = |offset| -> Result<String, Broken> {
            Ok(String::from_utf8_lossy(self.string(offset)?).into_owned())
        };
        for at in self.version_records(self.place_of(address)?, 12)? {
            let library = text(self.number(at + 4, 4)?)?;
            for name in self.version_records(at + self.number(at + 8, 4)?, 12)? {
                // Skip weak needs: the dynamic linker does not insist on them.
                if self.number(name + 4, 2)? & 2 == 0 {
                    needed.push((library.clone(), text(self.number(name + 8, 4)?)?));
                }
            }
        }
        Ok(needed)
    }

    /// The machine, with the name that `uname -m` prints.
    pub fn machine(&self) -> &'static str {
        match self.number(18, 2) {
            Ok(62) => "x86_64",
            Ok(183) => "aarch64",
            Ok(3) => "i686",
            Ok(40) => "armv7l",
            Ok(243) => "riscv64",
            Ok(21) => "ppc64le",
            Ok(22) => "s390x",
            _ => "unknown",
        }
    }

    /// The level of x86-64 (1 to 4) that the file declares to need.
    pub fn x86_level(&self) -> Result<u32, Broken> {
        let mut level = 1;
        for segment in self.segments()? {
            if segment.kind != PT_GNU_PROPERTY || self.number(18, 2)? != 62 {
                continue;
            }
            // The note's name is "GNU"; then properties: type, size, content, each filled up to 8 bytes.
            let (mut at, end) = (segment.offset + 16, segment.offset + segment.size);
            while at + 12 <= end {
                let [kind, size] = self.numbers(at, [4, 4])?;
                if kind == 0xc000_8002 {
                    let bits = self.number(at + 8, 4)? as u32 & 0xf;
                    level = level.max(u32::BITS - bits.leading_zeros());
                }
                at = (at + 8).saturating_add(size).next_multiple_of(8);
            }
        }
        Ok(level)
    }
}
