//! Sets of certificates that are made to keep a verifier busy, each of them within the size of a handshake
//! message.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot be made must end the test"
)]

mod forge;

use countersign_x509::{
    CertificateDer, ExpectedName, Parameters, PolicyRequirements, Profile, Purpose, Revocation,
    TrustStore, UnixTime, ValidationTime,
};
use forge::{Extra, Party};

/// The certificates of one handshake have at most so many octets.
pub(crate) const MESSAGE: usize = 128 * 1024;

/// 2026-06-01.
const NOW: u64 = 1_780_272_000;

/// Something to verify.
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    pub(crate) presented: Vec<CertificateDer<'static>>,
    pub(crate) trust: TrustStore,
    pub(crate) parameters: Parameters,
}

impl Hostile {
    fn new(name: &'static str, presented: Vec<Vec<u8>>, anchors: Vec<Vec<u8>>) -> Self {
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW));
        let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(time))
            .with_name(ExpectedName::host("www.example"));
        Self {
            name,
            presented: presented.into_iter().map(CertificateDer::from).collect(),
            trust: TrustStore::from_der(anchors.into_iter().map(CertificateDer::from)).unwrap(),
            parameters,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The parameters with one of the two profiles.
    pub(crate) fn under(&self, profile: Profile) -> Parameters {
        self.parameters.clone().with_profile(profile)
    }
}

/// All sets. Making them takes a few seconds.
pub(crate) fn all() -> Vec<Hostile> {
    let mut sets = vec![
        mesh("mesh of CAs that certify each other", 7, false),
        mesh("mesh of CAs below an anchor", 7, true),
        layers("layers in which everybody certified everybody", 6, 3),
        layers("two broad layers", 2, 7),
        namesakes("namesakes on P-256", 60, &rcgen::PKCS_ECDSA_P256_SHA256),
        namesakes("namesakes on P-384", 60, &rcgen::PKCS_ECDSA_P384_SHA384),
        namesakes("namesakes on P-521", 60, &rcgen::PKCS_ECDSA_P521_SHA512),
        namesakes_on_a_chain(),
        deep("deep chain on P-256", 60, &rcgen::PKCS_ECDSA_P256_SHA256),
        deep("deep chain on P-521", 60, &rcgen::PKCS_ECDSA_P521_SHA512),
        subtrees(
            "subtrees and host names",
            385,
            Extra::dns_subtree,
            Extra::dns_name,
        ),
        subtrees(
            "subtrees and directory names",
            180,
            Extra::directory_subtree,
            Extra::directory_name,
        ),
        subtrees(
            "subtrees and addresses",
            385,
            Extra::email_subtree,
            Extra::email_name,
        ),
        many_names(),
        long_names("long names, written differently", 20, false),
        long_names("long names of many parts", 20, true),
        many_extensions(),
        policies("policies on every level", 3),
        policies("mappings on few levels", 1),
    ];
    sets.extend(constrained_layers());
    sets.extend(lists());
    sets
}

fn root(name: &str) -> (Party, Vec<u8>) {
    let root = Party::new(name);
    let der = root.issue(&root, &Extra::ca());
    (root, der)
}

/// Every CA has a certificate of every other.
fn mesh(name: &'static str, size: usize, anchored: bool) -> Hostile {
    let (root, anchor) = root("Root");
    let crowd: Vec<_> = (0..size)
        .map(|number| Party::new(&format!("CA {number}")))
        .collect();
    let leaf = Party::new("db.example");
    let mut presented = vec![crowd[0].issue(&leaf, &Extra::leaf())];
    for (at, issuer) in crowd.iter().enumerate() {
        let others = crowd.iter().enumerate().filter(|(other, _)| *other != at);
        presented.extend(others.map(|(_, other)| issuer.issue(other, &Extra::ca())));
        if anchored {
            presented.push(root.issue(issuer, &Extra::ca()));
        }
    }
    Hostile::new(name, presented, vec![anchor])
}

/// Layers of CAs, each of which has a certificate of everybody in the layer above: as many paths as
/// there are ways up.
fn layers(name: &'static str, depth: usize, width: usize) -> Hostile {
    let (presented, anchor) = layered(depth, width, &Extra::leaf(), &Extra::ca());
    Hostile::new(name, presented, vec![anchor])
}

fn layered(depth: usize, width: usize, leaf: &Extra, ca: &Extra) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (root, anchor) = root("Root");
    let layer = |height: usize| -> Vec<Party> {
        let names = (0..width).map(|number| format!("CA {height} {number}"));
        names.map(|name| Party::new(&name)).collect()
    };
    let layers: Vec<_> = (0..depth).map(layer).collect();
    let mut presented = vec![layers[0][0].issue(&Party::new("db.example"), leaf)];
    for pair in layers.windows(2) {
        for above in &pair[1] {
            presented.extend(pair[0].iter().map(|below| above.issue(below, ca)));
        }
    }
    presented.extend(layers[depth - 1].iter().map(|top| root.issue(top, ca)));
    (presented, anchor)
}

/// Many CAs of the name of the issuer, none of which is it.
fn namesakes(
    name: &'static str,
    number: usize,
    algorithm: &'static rcgen::SignatureAlgorithm,
) -> Hostile {
    let (root, anchor) = root("Root");
    let issuer = Party::with_key("CA", algorithm);
    let mut presented = vec![issuer.issue(&Party::new("db.example"), &Extra::leaf())];
    for _ in 0..number {
        let namesake = Party::with_key("CA", algorithm);
        presented.push(root.issue(&namesake, &Extra::ca()));
    }
    Hostile::new(name, presented, vec![anchor])
}

/// The name of the next set, and how many certificates on its chain and beside it have one name.
pub(crate) const NAMESAKES: &str = "namesakes on a chain";
pub(crate) const NAMESAKES_ON_IT: usize = 24;
pub(crate) const NAMESAKES_BESIDE_IT: usize = 48;

/// CAs of one name, each of which can have issued those with a key of the other kind: a chain of them, and
/// more who could stand anywhere on it.
fn namesakes_on_a_chain() -> Hostile {
    let (_, anchor) = root("Root");
    let [one, other] = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519]
        .map(|algorithm| Party::with_key("CA", algorithm));
    let mut presented = vec![one.issue(&Party::new("db.example"), &Extra::leaf())];
    for _ in 0..NAMESAKES_ON_IT / 2 {
        let of_one = Party::with_key("CA", &rcgen::PKCS_ECDSA_P256_SHA256);
        presented.push(other.issue(&of_one, &Extra::ca()));
    }
    for _ in 0..NAMESAKES_ON_IT / 2 + NAMESAKES_BESIDE_IT {
        let of_other = Party::with_key("CA", &rcgen::PKCS_ED25519);
        presented.push(one.issue(&of_other, &Extra::ca()));
    }
    Hostile::new(NAMESAKES, presented, vec![anchor])
}

/// A chain that is good but for its name.
fn deep(
    name: &'static str,
    depth: usize,
    algorithm: &'static rcgen::SignatureAlgorithm,
) -> Hostile {
    let top = Party::with_key("Root", algorithm);
    let anchor = top.issue(&top, &Extra::ca());
    let mut presented = Vec::new();
    let mut issuer = top;
    for number in 0..depth {
        let next = Party::with_key(&format!("CA {number}"), algorithm);
        presented.push(issuer.issue(&next, &Extra::ca()));
        issuer = next;
    }
    presented.push(issuer.issue(&Party::new("db.example"), &Extra::leaf()));
    presented.reverse();
    Hostile::new(name, presented, vec![anchor]).with(|set| {
        // So that nothing fails before the signatures are verified.
        set.parameters.names = [].into();
    })
}

/// As many comparisons of names with name constraints as the budget allows.
fn subtrees(
    name: &'static str,
    number: usize,
    subtree: fn(usize) -> Vec<u8>,
    alternative: fn(usize) -> Vec<u8>,
) -> Hostile {
    let (root, anchor) = root("Root");
    let ca = Party::new("CA");
    let constraints: Vec<_> = (0..number).map(subtree).collect();
    let names: Vec<_> = (0..number).map(alternative).collect();
    let presented = vec![
        ca.issue(&Party::new("db.example"), &Extra::leaf_with(&names)),
        root.issue(&ca, &Extra::ca_with_subtrees(&constraints)),
    ];
    Hostile::new(name, presented, vec![anchor])
}

/// The same on many paths.
fn constrained_layers() -> Vec<Hostile> {
    let names: Vec<_> = (0..400).map(Extra::dns_name).collect();
    let constraints: Vec<_> = (0..40).map(Extra::dns_subtree).collect();
    let ca = Extra::ca_with_subtrees(&constraints);
    let (presented, anchor) = layered(5, 3, &Extra::leaf_with(&names), &ca);
    let name = "layers with name constraints";
    vec![Hostile::new(name, presented, vec![anchor])]
}

/// A leaf of thousands of names, none of which is expected, on many paths.
fn many_names() -> Hostile {
    let names: Vec<_> = fill(MESSAGE / 2, Extra::dns_name);
    let (presented, anchor) = layered(5, 3, &Extra::leaf_with(&names), &Extra::ca());
    Hostile::new("thousands of names", presented, vec![anchor]).with(|set| {
        let other = ExpectedName::host("other.example");
        set.parameters = set.parameters.clone().with_name(other);
    })
}

/// CAs of one long name, each written in another way, so that no two are equal octet for octet.
fn long_names(name: &'static str, number: usize, parts: bool) -> Hostile {
    let (_, anchor) = root("Root");
    let length = MESSAGE / (2 * number + 3) - 500;
    let spelled = |variant: usize| forge::long_name(length, variant, parts);
    let leaf = Party::new("db.example");
    let mut presented = vec![Party::named(spelled(0)).issue(&leaf, &Extra::leaf())];
    for variant in 0..number {
        let issuer = Party::named(spelled(variant));
        let subject = Party::named(spelled(variant + number));
        presented.push(issuer.issue(&subject, &Extra::ca()));
    }
    Hostile::new(name, presented, vec![anchor])
}

/// Extensions of the largest size that are gone through again and again.
fn many_extensions() -> Hostile {
    let (presented, anchor) = layered(5, 3, &Extra::leaf_of_many_uses(4_000), &Extra::ca());
    Hostile::new("thousands of key usages", presented, vec![anchor])
}

/// As many policies and mappings as fit, on several levels.
fn policies(name: &'static str, levels: usize) -> Hostile {
    let (mut issuer, anchor) = root("Root");
    let number = MESSAGE / (levels * 45);
    let mut presented = Vec::new();
    for level in 0..levels {
        let next = Party::new(&format!("CA {level}"));
        presented.push(issuer.issue(&next, &Extra::ca_with_policies(number)));
        issuer = next;
    }
    presented.push(issuer.issue(&Party::new("db.example"), &Extra::leaf()));
    presented.reverse();
    Hostile::new(name, presented, vec![anchor]).with(|set| {
        let mut requirements = PolicyRequirements::default();
        requirements.explicit = true;
        set.parameters.policies = Some(requirements);
    })
}

/// A store of many lists, and one of a long list; both are the choice of whoever filled it.
fn lists() -> Vec<Hostile> {
    let sets = [
        ("hundreds of lists, many paths", 300, 10),
        ("a list of many entries, many paths", 1, 50_000),
    ];
    let made = sets.map(|(name, number, entries)| {
        let (presented, anchor) = layered(5, 3, &Extra::leaf(), &Extra::ca());
        let speaker = Party::new("CA 0 0");
        let lists = (0..number).map(|round| speaker.list(round, entries).into());
        Hostile::new(name, presented, vec![anchor]).with(|set| {
            set.trust.clone().with_crls(lists).unwrap();
            set.parameters.revocation = Revocation::Chain;
        })
    });
    made.into_iter().collect()
}

/// As many as fit into so many octets.
fn fill(octets: usize, make: fn(usize) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut left = octets;
    (0..octets)
        .map(make)
        .take_while(|made| {
            let fits = made.len() <= left;
            left = left.saturating_sub(made.len());
            fits
        })
        .collect()
}
