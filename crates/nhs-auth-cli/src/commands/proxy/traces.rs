//! Where the sidecar's traces go, with the feature `otel`: nowhere in a build without it.

#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
mod exporting;
#[cfg(feature = "otel")]
mod resource;

#[cfg(feature = "otel")]
pub(super) use self::exporting::Traces;
#[cfg(not(feature = "otel"))]
pub(super) use self::none::Traces;

#[cfg(not(feature = "otel"))]
mod none {
    use nhs_auth_server::ProxyServerBuilder;
    use tokio::runtime::Handle;

    use crate::console::Console;
    use crate::failure::Failure;

    pub(in crate::commands::proxy) struct Traces;

    #[expect(clippy::unused_self, reason = "with the feature they are something")]
    impl Traces {
        #[expect(clippy::unnecessary_wraps, reason = "with the feature something can go wrong")]
        pub(in crate::commands::proxy) fn of_environment(
            _: &Handle,
            _: Console,
        ) -> Result<Self, Failure> {
            Ok(Self)
        }

        pub(in crate::commands::proxy) fn told_by(
            &self,
            builder: ProxyServerBuilder,
        ) -> ProxyServerBuilder {
            builder
        }

        pub(in crate::commands::proxy) fn finish(self) {}
    }
}
