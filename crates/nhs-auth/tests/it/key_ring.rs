//! The key ring: its life, its file, and that nobody is ever refused for its keys.

mod any_order;
mod folder;
mod follow;
mod life;
mod world;
