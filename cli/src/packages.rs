//! The names of the packages that keelback needs in each distribution, and the commands that install them.

/// A family of distributions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Debian, Ubuntu, Mint.
    Debian,
    /// Fedora, RHEL, CentOS, Rocky, Alma.
    Fedora,
    /// Arch, Manjaro.
    Arch,
    /// Alpine.
    Alpine,
    /// openSUSE, SLES.
    Suse,
}

/// What may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A C compiler with its linker.
    Compiler,
    /// The headers of the C library.
    Headers,
    /// A Python.
    Python,
    /// The shared library of Python 3.`minor`.
    Libpython {
        /// 11
        minor: u32,
    },
    /// A C++ compiler.
    CppCompiler,
    /// `pkg-config`
    PkgConfig,
    /// `ldd`
    Ldd,
}

impl Family {
    /// The family of this machine's distribution; `None` if it is unknown.
    pub fn here() -> Option<Self> {
        Self::of(&os_release()?)
    }

    /// The family of an os-release file.
    fn of(text: &str) -> Option<Self> {
        let value = |key| value_in(text, key).unwrap_or_default();
        let (own, like) = (value("ID"), value("ID_LIKE"));
        own.split(' ').chain(like.split(' ')).find_map(|name| {
            Some(match name {
                "debian" | "ubuntu" => Self::Debian,
                "fedora" | "rhel" | "centos" => Self::Fedora,
                "arch" => Self::Arch,
                "alpine" => Self::Alpine,
                "suse" | "opensuse" | "sles" => Self::Suse,
                _ if name.starts_with("opensuse") => Self::Suse,
                _ => return None,
            })
        })
    }

    /// The command that installs what is missing.
    pub fn install(self, need: Need) -> String {
        let command = match self {
            Self::Debian => "apt-get install",
            Self::Fedora => "dnf install",
            Self::Arch => "pacman -S",
            Self::Alpine => "apk add",
            Self::Suse => "zypper install",
        };
        format!("{command} {}", self.package(need))
    }

    fn package(self, need: Need) -> String {
        use Family::*;
        let name = match (need, self) {
            (Need::Compiler, Alpine) => "gcc musl-dev",
            (Need::Compiler, Debian) => "gcc libc6-dev",
            (Need::Compiler, _) => "gcc",
            (Need::Headers, Debian) => "libc6-dev",
            (Need::Headers, Alpine) => "musl-dev",
            (Need::Headers, Arch) => "glibc",
            (Need::Headers, _) => "glibc-devel",
            (Need::Python, Arch) => "python",
            (Need::Python, _) => "python3",
            (Need::Libpython { minor }, Debian) => return format!("libpython3.{minor}"),
            (Need::Libpython { minor }, Suse) => return format!("libpython3_{minor}-1_0"),
            (Need::Libpython { .. }, Fedora) => "python3-libs",
            (Need::Libpython { .. }, Arch) => "python",
            (Need::Libpython { .. }, Alpine) => "python3",
            (Need::CppCompiler, Debian | Alpine) => "g++",
            (Need::CppCompiler, Arch) => "gcc",
            (Need::CppCompiler, _) => "gcc-c++",
            (Need::PkgConfig, Fedora) => "pkgconf-pkg-config",
            (Need::PkgConfig, Suse) => "pkg-config",
            (Need::PkgConfig, _) => "pkgconf",
            (Need::Ldd, Debian) => "libc-bin",
            (Need::Ldd, Fedora) => "glibc-common",
            (Need::Ldd, Alpine) => "musl-utils",
            (Need::Ldd, _) => "glibc",
        };
        name.to_owned()
    }
}

/// The file that describes this machine's distribution.
fn os_release() -> Option<String> {
    ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
}

/// The value of a key of an os-release file.
fn value_in<'text>(text: &'text str, key: &str) -> Option<&'text str> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.map(|value| value.trim_matches(['"', '\'']))
}

/// The short name of this machine's distribution: `debian`, `ubuntu`.
pub fn distribution() -> Option<String> {
    value_in(&os_release()?, "ID").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        for (text, family) in [
            ("NAME=x\nID=debian\n", Some(Family::Debian)),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
                Some(Family::Debian),
            ),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
                Some(Family::Fedora),
            ),
            ("ID=manjaro\nID_LIKE=arch\n", Some(Family::Arch)),
            ("ID=alpine\n", Some(Family::Alpine)),
            ("ID='opensuse-leap'\n", Some(Family::Suse)),
            ("ID=nixos\n", None),
            ("", None),
        ] {
            assert_eq!(Family::of(text), family, "{text}");
        }
    }

    #[test]
    fn commands() {
        let needs = |family: Family| {
            [Need::Compiler, Need::Libpython { minor: 12 }].map(|need| family.install(need))
        };
        assert_eq!(
            needs(Family::Debian),
            [
                "apt-get install gcc libc6-dev",
                "apt-get install libpython3.12"
            ]
        );
        assert_eq!(
            needs(Family::Suse),
            ["zypper install gcc", "zypper install libpython3_12-1_0"]
        );
    }
}
