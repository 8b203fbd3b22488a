//! nhs-auth-mock
