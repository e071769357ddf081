//! The search of [`Profile::WebPki`](crate::Profile::WebPki).
