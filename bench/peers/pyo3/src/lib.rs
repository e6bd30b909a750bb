//! The functions of `bench/embedding/api.h` for C, and those of `bench/python_to_c.py` for Python, as one writes them with PyO3.

mod calls;
mod embedded;
