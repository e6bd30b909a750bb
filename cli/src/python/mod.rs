//! Finds the Python that a plugin is built for. One process of that Python (`probe.py`) answers all questions.
//!
//! | file | subject |
//! |---|---|
//! | `found` | a Python, as it was found |
//! | `choose` | what `--python`, or its absence, means |
//! | `search` | asks the one that was chosen |
//! | `probe` | the process that answers |
//! | `init_code` | what it is given to check |
//! | `report` | its report on that |

mod choose;
mod found;
mod init_code;
mod probe;
mod report;
mod search;

pub use choose::{executable, on_path};
pub use found::Python;
pub use init_code::InitCode;
pub use report::{Beside, InitReport, ModuleError};
pub use search::Search;
