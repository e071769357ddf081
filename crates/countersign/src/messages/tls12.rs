//! The messages that only TLS 1.2 has, or that have another shape there (RFC 5246 §7.4). Both hellos,
//! `Finished` and `CertificateVerify` are those of TLS 1.3.

mod certificate;
mod certificate_request;
mod client_key_exchange;
mod hello_request;
mod new_session_ticket;
mod server_hello_done;
mod server_key_exchange;
#[cfg(test)]
mod tests;

pub(crate) use certificate::{Certificate, CertificateData};
pub(crate) use certificate_request::{CertificateRequest, CertificateType};
pub(crate) use client_key_exchange::{ClientKeyExchange, ClientPublic};
pub(crate) use hello_request::HelloRequest;
pub(crate) use new_session_ticket::NewSessionTicket;
pub(crate) use server_hello_done::ServerHelloDone;
pub(crate) use server_key_exchange::{
    CurveParameters, FiniteFieldParameters, ServerKeyExchange, SignedParameters,
};
