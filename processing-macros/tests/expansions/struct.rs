/// Asks the database.
#[derive(Debug)]
#[::processing::__private::core::prelude::v1::derive(
    ::processing::__private::serde::Serialize,
    ::processing::__private::serde::Deserialize,
)]
#[serde(crate = "::processing::__private::serde")]
pub struct DatabaseWorker {
    db: Live<postgres::Client>,
    query: Option<Query>,
}
const _: () = {
    use ::processing::__private as __rt;
    #[automatically_derived]
    impl __rt::ProcessSpec for DatabaseWorker {
        const CONFIG: __rt::Config = {
            let mut config = __rt::Config::DEFAULT;
            config.lives(3);
            config.timeout(__rt::Phase::Run, __rt::Duration::from_secs(30));
            config.checkpoint(__rt::Checkpoint::Every(10));
            config
        };
        fn credentials() -> __rt::Credentials {
            let mut credentials = __rt::Credentials::new();
            credentials
                .insert::<postgres::Client>("*", __rt::Provider::env("PGPASSWORD"));
            credentials
        }
    }
    #[automatically_derived]
    #[allow(
        unused_variables,
        deprecated,
        reason = "there may be no fields, and old ones are looked at as well"
    )]
    impl __rt::live::Reconnectable for DatabaseWorker {
        fn visit_live(
            &mut self,
            path: &__rt::live::Path<'_>,
            visitor: &mut dyn __rt::core::ops::FnMut(
                &__rt::live::Path<'_>,
                &mut dyn __rt::live::AnyLive,
            ),
        ) {
            #[allow(unused_imports, reason = "one of them is taken")]
            use __rt::live::{ViaNothing as _, ViaReconnectable as _};
            __rt::live::Field(&mut self.db).visit_live(&path.field("db"), visitor);
            __rt::live::Field(&mut self.query).visit_live(&path.field("query"), visitor);
        }
    }
};
/// The process type as a value: `pool.map(DatabaseWorker, items)`.
#[allow(non_upper_case_globals, dead_code, reason = "a process type is also a value")]
pub const DatabaseWorker: ::processing::__private::ProcessType<DatabaseWorker> = ::processing::__private::ProcessType::NEW;
#[autoreconnect(__taken)]
const _: () = ();
