//! Puts `src/boundary.c` between countersign and aws-lc.

use std::env;

/// The functions of aws-lc that secrets pass.
const WRAPPED: [&str; 11] = [
    "CRYPTO_memcmp",
    "CRYPTO_tls1_prf",
    "EVP_AEAD_CTX_new",
    "EVP_AEAD_CTX_open_gather",
    "EVP_AEAD_CTX_seal_scatter",
    "EVP_DigestSign",
    "EVP_DigestVerify",
    "EVP_PKEY_decapsulate",
    "EVP_PKEY_derive",
    "EVP_PKEY_encapsulate",
    "HMAC_Init_ex",
];

fn main() {
    println!("cargo:rerun-if-changed=src/boundary.c");
    // aws-lc-sys says DEP_AWS_LC_0_47_0_INCLUDE, and its functions are named aws_lc_0_47_0_….
    let prefix = env::vars()
        .find_map(|(name, _)| {
            let version = name.strip_prefix("DEP_")?.strip_suffix("_INCLUDE")?;
            version
                .starts_with("AWS_LC_")
                .then(|| version.to_lowercase() + "_")
        })
        .expect("aws-lc-sys says where its headers are");
    for name in WRAPPED {
        println!("cargo:rustc-link-arg-bins=-Wl,--wrap={prefix}{name}");
    }
    cc::Build::new()
        .file("src/boundary.c")
        .define("PREFIX", prefix.as_str())
        .warnings_into_errors(true)
        .compile("boundary");
}
