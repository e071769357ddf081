//! Revocation by lists (RFC 5280 §6.3), as OpenSSL does it: without its extended support no
//! indirect lists, no lists for some reasons only, and none signed outside the chain.
//!
//! A delta list is applied to the list it amends. OpenSSL does so only with
//! `X509_V_FLAG_USE_DELTAS`, and without that flag may take a delta list for a complete one.

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::checks::signature::verify_crl_signature;
use crate::checks::{strength, usage};
use crate::crl::{CertificateList, RevocationReason};
use crate::extensions::ExtensionKind;
use crate::extensions::distribution::{
    CrlScope, DistributionPoint, DistributionPointName, IssuingDistributionPoint, ReasonFlags,
};
use crate::general_name::GeneralName;
use crate::meter::{Exhausted, Meter};
use crate::name::Name;
use crate::parameters::{Parameters, Profile, ValidationTime};
use crate::path::{Node, names_key_of};
use crate::reason::{Reason, RevocationFailure};
use crate::store::{Set, StoredList, hash_of};
use crate::time::Time;

/// What a lookup of revocation lists works with.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'n, 'a> {
    /// The chain.
    pub(crate) nodes: &'n [Node<'a>],
    /// What the peer sent: the issuer of a list may be among it.
    pub(crate) presented: &'a [CertificateDer<'a>],
    /// Holds the lists.
    pub(crate) store: &'a Set,
    pub(crate) parameters: &'n Parameters,
    pub(crate) meter: &'n Meter,
}

/// Finds reasons not to rely on the certificate at `depth`, in the order in which OpenSSL does.
///
/// A certificate can name several lists, each for some reasons for revoking; they are gone through
/// until all reasons are covered or no list adds any.
///
/// `is_valid` tells of the issuer of a list who is not in the chain whether a valid chain leads
/// from it to the same anchor.
pub(crate) fn check<'a>(
    sources: Sources<'_, 'a>,
    depth: usize,
    mut is_valid: impl FnMut(&Certificate<'a>) -> bool,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut lookup = Lookup {
        sources,
        depth,
        time: sources.parameters.time,
        covered: ReasonFlags::NONE,
    };
    while !lookup.covered.contains(ReasonFlags::ALL) {
        let before = lookup.covered;
        let found = match lookup.best() {
            Ok(Some(found)) => found,
            Ok(None) => {
                reasons.push(Reason::Revocation(RevocationFailure::NoList));
                break;
            }
            Err(Exhausted) => {
                reasons.push(Reason::BudgetExhausted);
                break;
            }
        };
        lookup.covered = found.covered;
        let path = found.suits.issuer > IssuerPlace::Elsewhere || is_valid(&found.issuer);
        lookup.check_against(&found, path, &mut |reason| reasons.push(reason));
        if lookup.covered == before {
            reasons.push(Reason::Revocation(RevocationFailure::NoList));
            break;
        }
    }
    reasons
}

struct Lookup<'n, 'a> {
    sources: Sources<'n, 'a>,
    depth: usize,
    time: ValidationTime,
    covered: ReasonFlags,
}

/// A list that may be used, and how well it suits. Of two lists the one is taken that is better in
/// the first respect in which they differ.
struct Found<'a> {
    list: CertificateList<'a>,
    stored: &'a StoredList,
    issuer: Certificate<'a>,
    suits: Suits,
    unknown_critical: bool,
    /// Reasons covered with this list.
    covered: ReasonFlags,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Suits {
    /// No critical extension is unknown.
    understood: bool,
    /// The list covers the certificate.
    scope: bool,
    /// The list is within its dates.
    current: bool,
    speaker: Speaker,
    issuer: IssuerPlace,
}

/// Who issued the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Speaker {
    /// Somebody else than the issuer of the certificate: the list is an indirect one.
    Other,
    /// The issuer of the certificate.
    Issuer,
}

/// Where the certificate of a list's issuer was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum IssuerPlace {
    /// Not in the chain.
    Elsewhere,
    /// Further up in the chain.
    Above,
    /// It is the one that issued the certificate in question.
    Next,
}

impl<'a> Lookup<'_, 'a> {
    fn best(&self) -> Result<Option<Found<'a>>, Exhausted> {
        let mut best: Option<Found<'a>> = None;
        let Some(subject) = self.sources.nodes.get(self.depth) else {
            return Ok(None);
        };
        let issuer = hash_of(&subject.certificate.issuer());
        let lists = self.sources.store.revocation_lists().iter();
        for stored in lists.filter(|stored| stored.may_speak_for(issuer)) {
            self.sources.meter.step()?;
            let Some(found) = self.judge(stored) else {
                continue;
            };
            let better = best.as_ref().is_none_or(|best| {
                let newer = found.list.this_update() > best.list.this_update();
                found.suits > best.suits || (found.suits == best.suits && newer)
            });
            if better {
                best = Some(found);
            }
        }
        Ok(best)
    }

    /// Can this list say anything about the certificate?
    fn judge(&self, stored: &'a StoredList) -> Option<Found<'a>> {
        let list = CertificateList::parse(stored.der()).ok()?;
        let parameters = self.sources.parameters;
        let subject = &self.sources.nodes.get(self.depth)?.certificate;
        let point = list.extensions().issuing_distribution_point();
        let unusable = point.is_some_and(|point| {
            let extended = point.indirect || point.only_some_reasons.is_some();
            (extended && !parameters.extended_crls) || point.scope == CrlScope::Contradictory
        });
        if unusable {
            return None;
        }
        if parameters.profile == Profile::WebPki && !is_complete(&list) {
            return None;
        }
        // RFC 5280 §6.3.3 (b)(1): only an indirect list speaks for other issuers.
        let speaker = if list.issuer() == subject.issuer() {
            Speaker::Issuer
        } else if point.is_some_and(|point| point.indirect) {
            Speaker::Other
        } else {
            return None;
        };
        let (issuer, place) = self.issuer_of(&list, speaker)?;
        let unknown_critical = has_unknown_critical(&list, stored);
        let reasons = covered_reasons(subject, &list, point.as_ref());
        let covered = self.covered.union(reasons.unwrap_or(ReasonFlags::NONE));
        if reasons.is_some() && covered == self.covered {
            return None;
        }
        let suits = Suits {
            understood: !unknown_critical,
            scope: reasons.is_some(),
            current: list_dates(&list, self.time).is_ok(),
            speaker,
            issuer: place,
        };
        Some(Found {
            list,
            stored,
            issuer,
            suits,
            unknown_critical,
            covered,
        })
    }

    /// The certificate whose key should have signed the list: the issuer of the certificate in
    /// question, or another one of the list's issuer further up, or with extended support one that
    /// is not in the chain at all.
    fn issuer_of(
        &self,
        list: &CertificateList<'a>,
        speaker: Speaker,
    ) -> Option<(Certificate<'a>, IssuerPlace)> {
        let Sources { nodes, store, .. } = self.sources;
        let next = self.depth.saturating_add(1);
        let first = if next < nodes.len() { next } else { self.depth };
        let identifier = list.extensions().authority_key_identifier();
        let fits = |certificate: &Certificate<'_>| {
            identifier
                .as_ref()
                .is_none_or(|wanted| names_key_of(wanted, certificate))
        };
        let own = nodes.get(first).map(|node| &node.certificate);
        if let Some(own) = own.filter(|own| speaker == Speaker::Issuer && fits(own)) {
            return Some((**own, IssuerPlace::Next));
        }
        let named =
            |candidate: &Certificate<'_>| candidate.subject() == list.issuer() && fits(candidate);
        let mut above = nodes.iter().skip(first.saturating_add(1));
        if let Some(above) = above.find(|node| named(&node.certificate)) {
            return Some((*above.certificate, IssuerPlace::Above));
        }
        if !self.sources.parameters.extended_crls {
            return None;
        }
        let sent = self.sources.presented.iter();
        let mut sent = sent.filter_map(|der| Certificate::parse(der).ok());
        let found = sent.find(named).or_else(|| {
            let mut stored = store.with_subject(list.issuer());
            stored.find_map(|stored| fits(&stored.certificate).then(|| *stored.certificate))
        });
        Some((found?, IssuerPlace::Elsewhere))
    }

    /// The newest delta list that amends the list.
    fn delta_of(
        &self,
        list: &CertificateList<'_>,
    ) -> Option<(CertificateList<'a>, &'a StoredList)> {
        let lists = self.sources.store.revocation_lists().iter();
        lists
            .filter(|stored| stored.is_delta())
            .filter_map(|stored| {
                let delta = CertificateList::parse(stored.der()).ok()?;
                amends(&delta, list).then_some((delta, stored))
            })
            .max_by_key(|(delta, _)| delta.this_update())
    }

    /// RFC 5280 §6.3.3 (c), (f), (i), (j): the list, and the delta list that amends it if there is
    /// one.
    fn check_against(
        &self,
        found: &Found<'_>,
        issuer_is_valid: bool,
        report: &mut impl FnMut(Reason),
    ) {
        let issuer = &found.issuer;
        if issuer
            .extensions()
            .key_usage()
            .is_some_and(|usage| !usage.crl_sign())
        {
            report(Reason::Revocation(RevocationFailure::IssuerMayNotSign));
        }
        if !found.suits.scope {
            report(Reason::Revocation(RevocationFailure::OtherScope));
        }
        if !issuer_is_valid {
            report(Reason::Revocation(RevocationFailure::IssuerNotValid));
        }
        let Some((delta, stored)) = self.delta_of(&found.list) else {
            self.check_list(&found.list, found.stored, issuer, report);
            self.check_entry(&found.list, found.stored, found.unknown_critical, report);
            return;
        };
        // What the complete list says is as new as its latest amendment.
        let dates = list_dates(&found.list, self.time);
        if dates.is_err() && list_dates(&delta, self.time).is_ok() {
            self.check_list_signature(&found.list, found.stored, issuer, report);
        } else {
            self.check_list(&found.list, found.stored, issuer, report);
        }
        self.check_list(&delta, stored, issuer, report);
        let unknown_critical = has_unknown_critical(&delta, stored);
        if self.check_entry(&delta, stored, unknown_critical, report) == Entry::Removed {
            return;
        }
        self.check_entry(&found.list, found.stored, found.unknown_critical, report);
    }

    /// RFC 5280 §6.3.3 (g) and the dates: is the list itself good?
    fn check_list(
        &self,
        list: &CertificateList<'_>,
        stored: &StoredList,
        issuer: &Certificate<'_>,
        report: &mut impl FnMut(Reason),
    ) {
        if let Err(failure) = list_dates(list, self.time) {
            report(Reason::Revocation(failure));
        }
        self.check_list_signature(list, stored, issuer, report);
    }

    /// A signature that was right is not verified again.
    fn check_list_signature(
        &self,
        list: &CertificateList<'_>,
        stored: &StoredList,
        issuer: &Certificate<'_>,
        report: &mut impl FnMut(Reason),
    ) {
        let key = issuer.public_key();
        if stored.is_signed_by(key.der()) {
            return;
        }
        if !strength::is_readable(key) {
            return report(Reason::Revocation(RevocationFailure::IssuerKeyUnreadable));
        }
        // The length of a list is the choice of whoever filled the trust store.
        if self.sources.meter.signature(key, &[]).is_err() {
            return report(Reason::BudgetExhausted);
        }
        if verify_crl_signature(list, key).is_err() {
            return report(Reason::Revocation(RevocationFailure::BadSignature));
        }
        stored.remember_signer(key.der());
    }

    /// RFC 5280 §6.3.3 (i), (j): is the certificate on the list?
    fn check_entry(
        &self,
        list: &CertificateList<'_>,
        stored: &StoredList,
        unknown_critical: bool,
        report: &mut impl FnMut(Reason),
    ) -> Entry {
        let Some(node) = self.sources.nodes.get(self.depth) else {
            return Entry::None;
        };
        if unknown_critical {
            report(Reason::Revocation(
                RevocationFailure::UnknownCriticalExtension,
            ));
        }
        if !stored.may_hold(node.certificate.serial()) {
            return Entry::None;
        }
        match list.find(node.certificate.serial(), &node.certificate.issuer()) {
            Ok(None) => Entry::None,
            Ok(Some(entry)) if entry.reason() == Some(RevocationReason::RemoveFromCrl) => {
                Entry::Removed
            }
            Ok(Some(entry)) => {
                report(Reason::Revoked {
                    on: entry.date,
                    why: entry.reason(),
                });
                Entry::Revoked
            }
            // Entries were read when the list was taken in, so this cannot be reached.
            Err(_) => {
                report(Reason::Revocation(RevocationFailure::BadSignature));
                Entry::None
            }
        }
    }
}

/// What a list says about a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    None,
    Revoked,
    /// Off the list again: it had been on hold.
    Removed,
}

/// Is the first a delta list that amends the second? (RFC 5280 §5.2.4)
fn amends(delta: &CertificateList<'_>, complete: &CertificateList<'_>) -> bool {
    let (delta_extensions, extensions) = (delta.extensions(), complete.extensions());
    let numbers = || {
        let base = delta_extensions.delta_crl_indicator()?;
        Some((
            base,
            delta_extensions.crl_number()?,
            extensions.crl_number()?,
        ))
    };
    let Some((base, delta_number, number)) = numbers() else {
        return false;
    };
    let same = |kind| delta_extensions.value(kind) == extensions.value(kind);
    same_name(&delta.issuer(), &complete.issuer())
        && same(ExtensionKind::AuthorityKeyIdentifier)
        && same(ExtensionKind::IssuingDistributionPoint)
        && !is_less(number, base)
        && is_less(number, delta_number)
}

/// Compares numbers in big-endian octets, without leading zeros.
fn is_less(a: &[u8], b: &[u8]) -> bool {
    (a.len(), a) < (b.len(), b)
}

/// RFC 5280 §5.2: a list with an unknown critical extension MUST NOT be used to tell that a
/// certificate is good.
fn has_unknown_critical(list: &CertificateList<'_>, stored: &StoredList) -> bool {
    let processed = |kind| {
        matches!(
            kind,
            ExtensionKind::IssuingDistributionPoint
                | ExtensionKind::AuthorityKeyIdentifier
                | ExtensionKind::DeltaCrlIndicator
        )
    };
    stored.has_unknown_critical_entry()
        || list
            .extensions()
            .first_unprocessed_critical(processed)
            .is_some()
}

/// The list must have been issued, and its successor must not be due.
fn list_dates(list: &CertificateList<'_>, time: ValidationTime) -> Result<(), RevocationFailure> {
    let ValidationTime::At(now) = time else {
        return Ok(());
    };
    let now = Time::from(now);
    if list.this_update() > now {
        return Err(RevocationFailure::NotYetValid);
    }
    if list.next_update().is_some_and(|next| next <= now) {
        return Err(RevocationFailure::Expired);
    }
    Ok(())
}

/// RFC 5280 §5.1.2.5 and §5.2.3: a list says when the next one is due, and has a number, which is
/// not critical.
fn is_complete(list: &CertificateList<'_>) -> bool {
    let number = list.extensions().criticality(ExtensionKind::CrlNumber);
    list.next_update().is_some() && number == Some(false)
}

/// RFC 5280 §6.3.3 (b), (d): the reasons for which the list covers the certificate, or `None` if it
/// covers others.
fn covered_reasons(
    subject: &Certificate<'_>,
    list: &CertificateList<'_>,
    point: Option<&IssuingDistributionPoint<'_>>,
) -> Option<ReasonFlags> {
    let is_ca = subject
        .extensions()
        .basic_constraints()
        .is_some_and(|basic| basic.is_ca);
    let out_of_scope = match point.map(|point| point.scope) {
        None | Some(CrlScope::All) => false,
        Some(CrlScope::UserCertificates) => is_ca,
        Some(CrlScope::CaCertificates) => !is_ca,
        Some(_) => true,
    };
    if out_of_scope {
        return None;
    }
    let listed = point
        .and_then(|point| point.only_some_reasons)
        .unwrap_or(ReasonFlags::ALL);
    let place = point.and_then(|point| point.name);
    for wanted in subject
        .extensions()
        .crl_distribution_points()
        .into_iter()
        .flatten()
    {
        if names_issuer(&wanted, subject, list)
            && places_agree(&wanted, subject, place.as_ref(), list)
        {
            let wanted = wanted.reasons.unwrap_or(ReasonFlags::ALL);
            return Some(wanted.intersection(listed));
        }
    }
    let speaks_for_all = place.is_none() && list.issuer() == subject.issuer();
    speaks_for_all.then_some(listed)
}

/// Does the certificate's distribution point expect lists of this issuer?
fn names_issuer(
    wanted: &DistributionPoint<'_>,
    subject: &Certificate<'_>,
    list: &CertificateList<'_>,
) -> bool {
    let is_issuer = |name| matches!(name, GeneralName::Directory(name) if name == list.issuer());
    match wanted.crl_issuer {
        Some(names) => names.iter().any(is_issuer),
        None => list.issuer() == subject.issuer(),
    }
}

/// Do the certificate's distribution point and that of the list share a name? One without a name
/// agrees with every other.
fn places_agree(
    wanted: &DistributionPoint<'_>,
    subject: &Certificate<'_>,
    place: Option<&DistributionPointName<'_>>,
    list: &CertificateList<'_>,
) -> bool {
    let (Some(wanted_place), Some(place)) = (wanted.name.as_ref(), place) else {
        return true;
    };
    let named_issuer = wanted
        .crl_issuer
        .into_iter()
        .flatten()
        .find_map(|name| match name {
            GeneralName::Directory(name) => Some(name),
            _ => None,
        });
    let wanted_base = named_issuer.unwrap_or(subject.issuer());
    match (wanted_place, place) {
        (DistributionPointName::Full(ours), DistributionPointName::Full(theirs)) => ours
            .iter()
            .any(|our| theirs.iter().any(|their| our == their)),
        (DistributionPointName::Full(names), DistributionPointName::RelativeToIssuer(part)) => {
            names
                .iter()
                .any(|name| is_extended(&name, &list.issuer(), part))
        }
        (DistributionPointName::RelativeToIssuer(part), DistributionPointName::Full(names)) => {
            names
                .iter()
                .any(|name| is_extended(&name, &wanted_base, part))
        }
        (
            DistributionPointName::RelativeToIssuer(our),
            DistributionPointName::RelativeToIssuer(their),
        ) => our == their && same_name(&wanted_base, &list.issuer()),
    }
}

/// Is the name the base with one more part?
fn is_extended(
    name: &GeneralName<'_>,
    base: &Name<'_>,
    part: &crate::name::RelativeName<'_>,
) -> bool {
    let GeneralName::Directory(name) = name else {
        return false;
    };
    name.relative_names()
        .eq(base.relative_names().chain([*part]))
}

fn same_name(a: &Name<'_>, b: &Name<'_>) -> bool {
    a == b
}

/// Is the certificate one that is never looked up? Self-signed ones answer for themselves, and a
/// proxy certificate's issuer is no CA.
pub(crate) fn is_exempt(node: &Node<'_>) -> bool {
    node.is_self_signed() || usage::proxy(&node.certificate).is_err()
}
