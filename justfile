# What is run again and again; `just` alone lists it.

default:
    @just --list

# Everything that must pass before a commit
check: && test doc
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny check

# All tests
test *ARGS:
    cargo test --workspace {{ARGS}}

# Benchmarks; close other programs first
bench *ARGS:
    cargo bench -p gristmill-benches {{ARGS}}

# The documentation, with private items for those who work on the code
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
