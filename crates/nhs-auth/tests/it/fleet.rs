//! One token for a fleet: its policy, with time, the platform and the store in our hands.

mod any_order;
mod policy;
mod store;
mod thousand;
mod world;
