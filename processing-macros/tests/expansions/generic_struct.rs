#[::processing::__private::core::prelude::v1::derive(
    ::processing::__private::serde::Serialize,
    ::processing::__private::serde::Deserialize,
)]
#[serde(crate = "::processing::__private::serde")]
struct Sum<T: Copy>(
    Vec<T>,
)
where
    T: Add;
const _: () = {
    use ::processing::__private as __rt;
    #[automatically_derived]
    impl<T: Copy> __rt::ProcessSpec for Sum<T>
    where
        T: Add,
        Self: __rt::serde::Serialize + __rt::serde::de::DeserializeOwned + 'static,
    {
        const CONFIG: __rt::Config = __rt::Config::DEFAULT;
    }
    #[automatically_derived]
    #[allow(
        unused_variables,
        deprecated,
        reason = "there may be no fields, and old ones are looked at as well"
    )]
    impl<T: Copy> __rt::live::Reconnectable for Sum<T>
    where
        T: Add,
    {
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
            __rt::live::Field(&mut self.0).visit_live(&path.index(0usize), visitor);
        }
    }
    #[automatically_derived]
    impl<T: Copy> __rt::SingleField<Vec<T>> for Sum<T>
    where
        T: Add,
    {
        fn from_field(field: Vec<T>) -> Self {
            Self { 0: field }
        }
    }
};
