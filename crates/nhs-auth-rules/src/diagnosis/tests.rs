//! One failing example for each root cause, one clean one for each thing that is not a fault.

mod arbitrary;
mod assertions;
mod error_texts;
mod fixture;
mod key_sets;
mod providers;
mod recognised;
mod repaired;
mod requests;
