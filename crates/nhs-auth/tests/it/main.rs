//! The library from outside, beside other people's programs.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]

mod keys;
mod openssl;
