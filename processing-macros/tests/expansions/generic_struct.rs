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
        fn visit_live(&mut self, visitor: &mut dyn __rt::LiveVisitor) {
            use __rt::visiting::*;
            __rt::Field(&mut self.0).visit("0", visitor);
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
