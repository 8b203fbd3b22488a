//! The platform's numbers, with their units. Source: the identity service's proxy, as published.

/// How far ahead `exp` may be, by the documentation: 300 s.
pub const EXP_DOCUMENTED_S: i64 = 300;

/// How far ahead `exp` may be before the platform refuses (rule A14): 310 s.
pub const EXP_ENFORCED_S: i64 = 310;

/// How long the platform remembers a `jti` (rule A13), in seconds: 30 days.
pub const JTI_MEMORY_S: i64 = 30 * 24 * 60 * 60;

/// How long the platform keeps a client's JWKS, by URL (rule A18), in seconds: an hour.
pub const JWKS_CACHE_S: i64 = 3600;

/// How long the platform waits for a client's JWKS (rule A18), in seconds.
pub const JWKS_TIMEOUT_S: u64 = 55;

/// The leeway on `nbf` when the signature is verified (rule A20b), in seconds.
pub const VERIFY_LEEWAY_S: i64 = 10;

/// Token requests that an application may make in a minute (rule A16).
pub const TOKEN_REQUESTS_A_MINUTE: u32 = 300;

/// An access token's lifetime, in milliseconds: ten minutes.
pub const ACCESS_TOKEN_LIFETIME_MS: i64 = 600_000;
