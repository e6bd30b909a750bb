//! The names of shared libraries: of the file, for the linker, and for programs when they start (the SONAME).
//!
//! `libvec.so.1.2.3` is the file; `libvec.so.1`, its SONAME, is what programs look for; `libvec.so` is what the linker
//! looks for with `-lvec`. Libraries whose names do not begin with `lib` are opened by their paths (plugins of some host,
//! Python's extension modules), and have no SONAME.

use std::fmt;
use std::str::FromStr;

/// `X`, `X.Y` or `X.Y.Z`. Programs that were linked to another `X` do not run with the library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SoVersion(String);

/// Why a text is no version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoVersion {
    /// It is not made of one to three numbers.
    Form,
    /// `01`: programs would not find libNAME.so.1.
    LeadingZero,
    /// A number has more than nine digits.
    Long,
}

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "a version is one to three numbers with dots between them: 1.2.3",
            Self::LeadingZero => "the numbers of a version do not begin with 0: 1.2.3, not 01.2.3",
            Self::Long => "the numbers of a version have nine digits at most",
        })
    }
}

impl std::error::Error for NoVersion {}

impl FromStr for SoVersion {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if text.split('.').count() > 3 || !text.split('.').all(is_number) {
            return Err(NoVersion::Form);
        }
        if text
            .split('.')
            .any(|part| part.len() > 1 && part.starts_with('0'))
        {
            return Err(NoVersion::LeadingZero);
        }
        if text.split('.').any(|part| part.len() > 9) {
            return Err(NoVersion::Long);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SoVersion {
    /// The first number.
    pub fn major(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

/// The name of a library's file, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LibraryName<'a> {
    /// `vec`: what stands behind `-l`.
    pub stem: &'a str,
    /// `1.2.3`, if it has one.
    pub version: Option<&'a str>,
}

impl<'a> LibraryName<'a> {
    /// Parses `libvec.so` or `libvec.so.1.2.3`; `None` for other names.
    pub fn parse(file_name: &'a str) -> Option<Self> {
        let rest = file_name.strip_prefix("lib")?;
        let (stem, version) = match rest.strip_suffix(".so") {
            Some(stem) => (stem, None),
            None => {
                let (stem, version) = rest.split_once(".so.")?;
                version.parse::<SoVersion>().ok()?;
                (stem, Some(version))
            }
        };
        (!stem.is_empty()).then_some(Self { stem, version })
    }

    /// The SONAME.
    pub fn soname(&self) -> String {
        match self.version.and_then(|version| version.split('.').next()) {
            Some(major) => format!("lib{}.so.{major}", self.stem),
            None => format!("lib{}.so", self.stem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sonames() {
        let soname = |name| LibraryName::parse(name).map(|name| name.soname());
        assert_eq!(soname("libvec.so").as_deref(), Some("libvec.so"));
        assert_eq!(soname("libvec.so.1.2.3").as_deref(), Some("libvec.so.1"));
        assert_eq!(
            soname("libpkg.vec.so.12").as_deref(),
            Some("libpkg.vec.so.12")
        );
        for other in [
            "vec.so",
            "lib.so",
            "vec.abi3.so",
            "libvec.so.x",
            "libvec.so.1.2.3.4",
            "libvec.node",
        ] {
            assert_eq!(soname(other), None, "{other}");
        }
    }

    #[test]
    fn versions() {
        let major = |text: &str| {
            text.parse::<SoVersion>()
                .map(|version| version.major().to_owned())
        };
        assert_eq!(major("0.1").as_deref(), Ok("0"));
        assert_eq!(major("12.3.4").as_deref(), Ok("12"));
        for wrong in ["", "1.", ".1", "1.2.3.4", "v1", "1-2", "1.2b"] {
            assert_eq!(major(wrong), Err(NoVersion::Form), "{wrong}");
        }
        for wrong in ["01.2.3", "1.02", "00"] {
            assert_eq!(major(wrong), Err(NoVersion::LeadingZero), "{wrong}");
        }
        assert_eq!(major("9999999999"), Err(NoVersion::Long));
    }
}
