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
        fn visit_live(&mut self, visitor: &mut dyn __rt::LiveVisitor) {
            use __rt::visiting::*;
            __rt::Field(&mut self.db).visit("db", visitor);
            __rt::Field(&mut self.query).visit("query", visitor);
        }
    }
};
/// The process type as a value: `pool.map(DatabaseWorker, items)`.
#[allow(non_upper_case_globals, dead_code, reason = "a process type is also a value")]
pub const DatabaseWorker: ::processing::__private::ProcessType<DatabaseWorker> = ::processing::__private::ProcessType::NEW;
#[autoreconnect(__taken)]
const _: () = ();
