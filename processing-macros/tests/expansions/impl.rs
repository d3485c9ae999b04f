impl DatabaseWorker {
    fn new(query: Query, limit: u64) -> Self {
        Self::connect(query, limit)
    }
    fn run(&mut self) -> anyhow::Result<()> {
        self.ask()
    }
    async fn postrun(&mut self) -> Result<(), Lost> {
        self.answer().await
    }
    fn onfinish(&mut self) {
        self.db.close();
    }
    fn result(&mut self) -> anyhow::Result<Vec<User>> {
        Ok(take(&mut self.rows))
    }
    fn error(&mut self, error: ProcessError) -> Result<Vec<User>, ProcessError> {
        Err(error)
    }
}
const _: () = {
    use ::processing::__private as __rt;
    use __rt::settling::*;
    #[automatically_derived]
    impl __rt::Skprocess for DatabaseWorker {
        type Output = Vec<User>;
        fn __run(&mut self) -> __rt::Outcome<'_, ()> {
            __rt::Outcome::Done({
                let returned = Self::run(self);
                (&&&&__rt::Returned(&returned)).settling().settle(returned)
            })
        }
        fn __postrun(&mut self) -> __rt::Outcome<'_, ()> {
            __rt::async_hook(async move {
                let returned = Self::postrun(self).await;
                (&&&&__rt::Returned(&returned)).settling().settle(returned)
            })
        }
        fn __onfinish(&mut self) -> __rt::Outcome<'_, ()> {
            __rt::Outcome::Done({
                Self::onfinish(self);
                __rt::core::result::Result::Ok(())
            })
        }
        fn __result(&mut self) -> __rt::Outcome<'_, Self::Output> {
            __rt::Outcome::Done({
                let returned = Self::result(self);
                (&&&&__rt::Returned(&returned)).settling().settle_value(returned)
            })
        }
        fn __error(
            &mut self,
            error: __rt::ProcessError,
        ) -> __rt::Outcome<
            '_,
            __rt::core::result::Result<Self::Output, __rt::ProcessError>,
        > {
            __rt::Outcome::Done({
                let returned: __rt::core::result::Result<
                    Self::Output,
                    __rt::ProcessError,
                > = Self::error(self, error);
                __rt::core::result::Result::Ok(returned)
            })
        }
        fn __hooks() -> &'static [__rt::Phase] {
            &[
                __rt::Phase::Run,
                __rt::Phase::Postrun,
                __rt::Phase::OnFinish,
                __rt::Phase::Result,
                __rt::Phase::Error,
            ]
        }
        fn __source(phase: __rt::Phase) -> __rt::core::option::Option<__rt::Location> {
            __rt::source(
                phase,
                &[
                    (
                        __rt::Phase::Run,
                        __rt::core::file!(),
                        __rt::core::line!(),
                        __rt::core::column!(),
                    ),
                    (
                        __rt::Phase::Postrun,
                        __rt::core::file!(),
                        __rt::core::line!(),
                        __rt::core::column!(),
                    ),
                    (
                        __rt::Phase::OnFinish,
                        __rt::core::file!(),
                        __rt::core::line!(),
                        __rt::core::column!(),
                    ),
                    (
                        __rt::Phase::Result,
                        __rt::core::file!(),
                        __rt::core::line!(),
                        __rt::core::column!(),
                    ),
                    (
                        __rt::Phase::Error,
                        __rt::core::file!(),
                        __rt::core::line!(),
                        __rt::core::column!(),
                    ),
                ],
            )
        }
    }
    #[automatically_derived]
    impl __rt::FromItem<(Query, u64)> for DatabaseWorker {
        fn from_item((item0, item1): (Query, u64)) -> Self {
            Self::new(item0, item1)
        }
    }
};
