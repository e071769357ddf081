//! Compiles the program that makes those calls of OpenSSL that safe Rust cannot make.

const PROGRAM: &str = "compare/openssl_rounds.c";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PROGRAM}");
    #[cfg(feature = "openssl")]
    if let Err(error) = compile() {
        println!("cargo::error={error}");
    }
}

/// Links it with the OpenSSL that the bench itself is linked with.
#[cfg(feature = "openssl")]
fn compile() -> Result<(), Box<dyn std::error::Error>> {
    use std::env::var;
    use std::path::Path;

    // Said by the build script of openssl-sys.
    let openssl = var("DEP_OPENSSL_ROOT")
        .map_err(|_| "OpenSSL is not built from source: is OPENSSL_NO_VENDOR set?")?;
    let openssl = Path::new(&openssl);
    let executable = Path::new(&var("OUT_DIR")?).join("openssl_rounds");
    let status = cc::Build::new()
        .cargo_metadata(false)
        .try_get_compiler()?
        .to_command()
        .arg(PROGRAM)
        .arg("-I")
        .arg(openssl.join("include"))
        .arg("-L")
        .arg(openssl.join("lib"))
        .args(["-lssl", "-lcrypto", "-lpthread", "-ldl", "-o"])
        .arg(&executable)
        .status()?;
    if !status.success() {
        return Err(format!("{PROGRAM} cannot be compiled: {status}").into());
    }
    println!("cargo::rustc-env=OPENSSL_ROUNDS={}", executable.display());
    Ok(())
}
