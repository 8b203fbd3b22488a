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

/// How long the platform keeps an identity provider's JWKS (rule S12), in seconds: a day. An
/// unknown `kid` makes it look again.
pub const PROVIDER_JWKS_CACHE_S: i64 = 86_400;

/// How long an authorization code can be redeemed (rule C13), in seconds: five minutes, once.
pub const CODE_LIFETIME_S: i64 = 300;

/// A refresh token's lifetime after a CIS2 sign-in (rule F12), in milliseconds: twelve hours.
pub const CIS2_REFRESH_TOKEN_LIFETIME_MS: i64 = 43_200_000;

/// How long after a CIS2 sign-in its tokens can be refreshed at all (rule F12), in milliseconds:
/// twelve hours, so that each refresh leaves less.
pub const CIS2_REFRESH_WINDOW_MS: i64 = 43_200_000;

/// A refresh token's lifetime after an NHS login sign-in (rule F12), in milliseconds: an hour.
pub const NHS_LOGIN_REFRESH_TOKEN_LIFETIME_MS: i64 = 3_600_000;

/// How long after an NHS login sign-in its tokens can be refreshed at all (rule F12), in
/// milliseconds. It isn't public: an hour is inferred from the lifetime that its tokens show.
pub const NHS_LOGIN_REFRESH_WINDOW_MS: i64 = 3_600_000;
