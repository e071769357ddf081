//! Certificate policies (RFC 5280 §6.1 with the policy graph of RFC 9618).
//!
//! RFC 5280 describes a tree in which one policy can have exponentially many nodes. RFC 9618 §3
//! folds them together: here each certificate adds one level of the graph, a level has at most one
//! node for each policy, and a node knows the policies of the level above that it comes from.
//! A node without such parents comes from the node for *any policy*, which is not kept as a node
//! but as a flag of its level.

use crate::certificate::Certificate;
use crate::extensions::ExtensionKind;
use crate::extensions::policies::PolicyMapping;
use crate::oid::Oid;
use crate::parameters::PolicyRequirements;
use crate::path::Node;
use crate::reason::PolicyFailure;

/// More nodes than this over all levels are refused: no honest chain has them, and so the work
/// stays small whatever a peer sends. OpenSSL's tree has a limit of the same kind.
const MAXIMUM_NODES: usize = 4_096;

/// RFC 5280 §6.1.2 to §6.1.5 as far as they are about policies. The last certificate of the path
/// is the anchor, whose policies do not count. A failure comes with the depth it was found at.
pub(crate) fn check(
    path: &[Node<'_>],
    requirements: &PolicyRequirements,
) -> Result<(), (usize, PolicyFailure)> {
    let Some((_anchor, below)) = path.split_last() else {
        return Ok(());
    };
    // Where nobody says anything about policies, and nothing is asked, there is nothing to find out.
    if !requirements.explicit && !below.iter().any(mentions_policies) {
        return Ok(());
    }
    let mut graph = Graph::new();
    let mut state = State::new(requirements, below.len());
    for (depth, node) in below.iter().enumerate().rev() {
        let is_leaf = depth == 0;
        // RFC 5280 §6.1.3 (d)(2): anyPolicy counts in a self-issued certificate all the same,
        // unless it is the last.
        let any_counts = state.inhibit_any_policy > 0 || (!is_leaf && node.is_self_issued());
        let at = |failure| (depth, failure);
        graph.enter(&node.certificate, any_counts).map_err(at)?;
        // RFC 5280 §6.1.3 (f).
        if state.explicit_policy == 0 && graph.is_empty() {
            return Err((0, PolicyFailure::NoneAcceptable));
        }
        if is_leaf {
            state.wrap_up(&node.certificate).map_err(at)?;
        } else {
            graph
                .leave(&node.certificate, state.policy_mapping > 0)
                .map_err(at)?;
            state.prepare_next(node).map_err(at)?;
        }
    }
    // RFC 5280 §6.1.5 (g).
    if state.explicit_policy == 0 && !graph.reaches(requirements) {
        return Err((0, PolicyFailure::NoneAcceptable));
    }
    Ok(())
}

/// Does the certificate have an extension that names policies, or demands some?
fn mentions_policies(node: &Node<'_>) -> bool {
    use ExtensionKind::{CertificatePolicies, PolicyConstraints, PolicyMappings};
    let extensions = node.certificate.extensions();
    [CertificatePolicies, PolicyMappings, PolicyConstraints]
        .iter()
        .any(|kind| extensions.contains(*kind))
}

/// The counters of RFC 5280 §6.1.2 (d) to (f): certificates until the rule holds.
struct State {
    explicit_policy: u32,
    inhibit_any_policy: u32,
    policy_mapping: u32,
}

impl State {
    fn new(requirements: &PolicyRequirements, length: usize) -> Self {
        let never = u32::try_from(length).unwrap_or(u32::MAX).saturating_add(1);
        let count = |from_the_start: bool| if from_the_start { 0 } else { never };
        Self {
            explicit_policy: count(requirements.explicit),
            inhibit_any_policy: count(requirements.inhibit_any),
            policy_mapping: count(requirements.inhibit_mapping),
        }
    }

    /// RFC 5280 §6.1.4 (h) to (j).
    fn prepare_next(&mut self, node: &Node<'_>) -> Result<(), PolicyFailure> {
        if !node.is_self_issued() {
            for counter in [
                &mut self.explicit_policy,
                &mut self.inhibit_any_policy,
                &mut self.policy_mapping,
            ] {
                *counter = counter.saturating_sub(1);
            }
        }
        let extensions = node.certificate.extensions();
        let (explicit, mapping) = constraints(&node.certificate)?;
        let lower = |counter: &mut u32, limit: Option<u32>| {
            *counter = limit.map_or(*counter, |limit| limit.min(*counter));
        };
        lower(&mut self.explicit_policy, explicit);
        lower(&mut self.policy_mapping, mapping);
        lower(
            &mut self.inhibit_any_policy,
            extensions.inhibit_any_policy(),
        );
        Ok(())
    }

    /// RFC 5280 §6.1.5 (a), (b).
    fn wrap_up(&mut self, leaf: &Certificate<'_>) -> Result<(), PolicyFailure> {
        let (explicit, _) = constraints(leaf)?;
        self.explicit_policy = match explicit {
            Some(0) => 0,
            _ => self.explicit_policy.saturating_sub(1),
        };
        Ok(())
    }
}

/// The two numbers of policyConstraints.
fn constraints(certificate: &Certificate<'_>) -> Result<(Option<u32>, Option<u32>), PolicyFailure> {
    let Some(constraints) = certificate.extensions().policy_constraints() else {
        return Ok((None, None));
    };
    match (
        constraints.require_explicit_policy,
        constraints.inhibit_policy_mapping,
    ) {
        // RFC 5280 §4.2.1.11: conforming CAs MUST NOT issue certificates where policy constraints
        // is an empty sequence.
        (None, None) => Err(PolicyFailure::Contradictory),
        numbers => Ok(numbers),
    }
}

/// RFC 9618 §3: the valid policy graph, one level for each certificate from the top down.
struct Graph<'a> {
    finished: Vec<Level<'a>>,
    /// The level of the next certificate: before it is entered, the policies expected of it.
    current: Level<'a>,
    nodes: usize,
}

#[derive(Default)]
struct Level<'a> {
    /// In the order of their policies, each once, never anyPolicy.
    nodes: Vec<PolicyNode<'a>>,
    /// There is a node for anyPolicy.
    any: bool,
}

struct PolicyNode<'a> {
    policy: Oid<'a>,
    /// Policies of the level above; none means that the parent is its node for anyPolicy.
    parents: Vec<Oid<'a>>,
    /// Policy mappings of the certificate say what it is called below.
    mapped: bool,
}

impl<'a> PolicyNode<'a> {
    fn below_any(policy: Oid<'a>) -> Self {
        Self {
            policy,
            parents: Vec::new(),
            mapped: false,
        }
    }
}

impl<'a> Level<'a> {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && !self.any
    }

    fn find(&self, policy: Oid<'_>) -> Option<&PolicyNode<'a>> {
        let place = self.place_of(policy)?;
        self.nodes.get(place)
    }

    fn place_of(&self, policy: Oid<'_>) -> Option<usize> {
        self.nodes
            .binary_search_by(|node| node.policy.as_bytes().cmp(policy.as_bytes()))
            .ok()
    }

    /// Adds nodes below anyPolicy for those of the policies that have none.
    fn add_below_any(&mut self, policies: impl Iterator<Item = Oid<'a>>) {
        let new: Vec<_> = policies
            .filter(|policy| *policy != Oid::ANY_POLICY && self.find(*policy).is_none())
            .map(PolicyNode::below_any)
            .collect();
        self.nodes.extend(new);
        self.nodes.sort_unstable_by_key(|node| node.policy);
    }
}

impl<'a> Graph<'a> {
    /// RFC 5280 §6.1.2 (a): a single node, for anyPolicy.
    fn new() -> Self {
        Self {
            finished: Vec::new(),
            current: Level {
                nodes: Vec::new(),
                any: true,
            },
            nodes: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// RFC 5280 §6.1.3 (d), (e): keeps what is expected and stated.
    fn enter(
        &mut self,
        certificate: &Certificate<'a>,
        any_counts: bool,
    ) -> Result<(), PolicyFailure> {
        let Some(policies) = certificate.extensions().certificate_policies() else {
            self.current = Level::default();
            return Ok(());
        };
        let stated = policies.iter().map(|stated| stated.policy);
        let mut stated: Vec<_> = limited(stated)?;
        stated.sort_unstable();
        // RFC 5280 §4.2.1.4: SIZE (1..MAX), and a policy MUST NOT appear more than once.
        let repeats = stated.windows(2).any(|pair| pair.first() == pair.last());
        if stated.is_empty() || repeats {
            return Err(PolicyFailure::Contradictory);
        }
        let expects_any = self.current.any;
        let states_any = stated.binary_search(&Oid::ANY_POLICY).is_ok();
        if !(states_any && any_counts) {
            self.current
                .nodes
                .retain(|node| stated.binary_search(&node.policy).is_ok());
            self.current.any = false;
        }
        if expects_any {
            self.current.add_below_any(stated.into_iter());
        }
        self.count()
    }

    /// RFC 5280 §6.1.4 (a), (b): what the policies are called below this certificate.
    fn leave(
        &mut self,
        certificate: &Certificate<'a>,
        mapping_allowed: bool,
    ) -> Result<(), PolicyFailure> {
        let mut level = core::mem::take(&mut self.current);
        let mut mappings = read_mappings(certificate)?;
        if mapping_allowed {
            if level.any {
                let mut domains: Vec<_> = mappings
                    .iter()
                    .map(|mapping| mapping.issuer_domain)
                    .collect();
                domains.dedup();
                level.add_below_any(domains.into_iter());
            }
            for mapping in &mappings {
                let place = level.place_of(mapping.issuer_domain);
                if let Some(node) = place.and_then(|place| level.nodes.get_mut(place)) {
                    node.mapped = true;
                }
            }
        } else {
            // (b)(2): a policy that would be mapped is lost.
            level.nodes.retain(|node| {
                mappings
                    .binary_search_by_key(&node.policy, |mapping| mapping.issuer_domain)
                    .is_err()
            });
            mappings.clear();
        }
        let below = expected_below(&level, &mappings);
        self.finished.push(level);
        self.current = below;
        self.count()
    }

    fn count(&mut self) -> Result<(), PolicyFailure> {
        self.nodes = self.nodes.saturating_add(self.current.nodes.len());
        if self.nodes > MAXIMUM_NODES {
            return Err(PolicyFailure::TooMany);
        }
        Ok(())
    }

    /// RFC 5280 §6.1.5 (g): is a policy that the caller accepts still there? A path below it is
    /// followed upwards to the node whose parent is anyPolicy: that one has the name by which the
    /// caller knows it.
    fn reaches(&self, requirements: &PolicyRequirements) -> bool {
        let acceptable = &requirements.acceptable;
        let any = |policy: &crate::OwnedOid| policy.as_oid() == Oid::ANY_POLICY;
        if self.current.is_empty() {
            return false;
        }
        if acceptable.is_empty() || acceptable.iter().any(any) || self.current.any {
            return true;
        }
        let mut followed: Vec<_> = self.current.nodes.iter().map(|node| node.policy).collect();
        for level in core::iter::once(&self.current).chain(self.finished.iter().rev()) {
            let mut above = Vec::new();
            for node in followed.iter().filter_map(|policy| level.find(*policy)) {
                let known = || acceptable.iter().any(|known| known.as_oid() == node.policy);
                if node.parents.is_empty() && known() {
                    return true;
                }
                above.extend_from_slice(&node.parents);
            }
            above.sort_unstable();
            above.dedup();
            followed = above;
        }
        false
    }
}

/// What a certificate lists, if it is not too much.
fn limited<T>(items: impl Iterator<Item = T>) -> Result<Vec<T>, PolicyFailure> {
    let items: Vec<_> = items.take(MAXIMUM_NODES.saturating_add(1)).collect();
    if items.len() > MAXIMUM_NODES {
        return Err(PolicyFailure::TooMany);
    }
    Ok(items)
}

/// The mappings in the order of the issuer's policies.
fn read_mappings<'a>(
    certificate: &Certificate<'a>,
) -> Result<Vec<PolicyMapping<'a>>, PolicyFailure> {
    let Some(mappings) = certificate.extensions().policy_mappings() else {
        return Ok(Vec::new());
    };
    let mut mappings: Vec<_> = limited(mappings.iter())?;
    // RFC 5280 §4.2.1.5: SIZE (1..MAX). §6.1.4 (a): verify that the special value anyPolicy does
    // not appear.
    let maps_any = mappings.iter().any(|mapping| {
        mapping.issuer_domain == Oid::ANY_POLICY || mapping.subject_domain == Oid::ANY_POLICY
    });
    if mappings.is_empty() || maps_any {
        return Err(PolicyFailure::Contradictory);
    }
    mappings.sort_unstable_by_key(|mapping| mapping.issuer_domain);
    Ok(mappings)
}

/// The policies expected of the next certificate: those mapped to, and the others as they are.
fn expected_below<'a>(level: &Level<'a>, mappings: &[PolicyMapping<'a>]) -> Level<'a> {
    let unmapped = level.nodes.iter().filter(|node| !node.mapped);
    let mut pairs: Vec<_> = unmapped
        .map(|node| (node.policy, node.policy))
        .chain(
            mappings
                .iter()
                .filter(|mapping| level.find(mapping.issuer_domain).is_some())
                .map(|mapping| (mapping.subject_domain, mapping.issuer_domain)),
        )
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let nodes = pairs
        .chunk_by(|(one, _), (other, _)| one == other)
        .filter_map(|group| {
            Some(PolicyNode {
                policy: group.first()?.0,
                parents: group.iter().map(|(_, parent)| *parent).collect(),
                mapped: false,
            })
        })
        .collect();
    Level {
        nodes,
        any: level.any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};
    use crate::path::Source;

    const POLICIES: &[u64] = &[2, 5, 29, 32];
    const MAPPINGS: &[u64] = &[2, 5, 29, 33];
    const CONSTRAINTS: &[u64] = &[2, 5, 29, 36];
    const INHIBIT_ANY: &[u64] = &[2, 5, 29, 54];
    const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];

    type Extension = (&'static [u64], Vec<u8>);

    /// A policy of these tests: 1.2.`number`.
    fn oid(number: u16) -> Vec<u8> {
        format!("1.2.{number}")
            .parse::<crate::OwnedOid>()
            .unwrap()
            .as_oid()
            .as_bytes()
            .to_vec()
    }

    fn policies(policies: &[&[u8]]) -> Extension {
        let stated = policies
            .iter()
            .map(|policy| sequence(&[&element(6, &[policy])]));
        (POLICIES, sequence(&[&stated.collect::<Vec<_>>().concat()]))
    }

    fn mappings(pairs: &[(Vec<u8>, Vec<u8>)]) -> Extension {
        let pairs = pairs
            .iter()
            .map(|(issuer, subject)| sequence(&[&element(6, &[issuer]), &element(6, &[subject])]));
        (MAPPINGS, sequence(&[&pairs.collect::<Vec<_>>().concat()]))
    }

    fn require_explicit(after: u8) -> Extension {
        (CONSTRAINTS, sequence(&[&[0x80, 1, after]]))
    }

    /// Certificates of a chain, the leaf first; the anchor is added.
    fn check(
        chain: Vec<Vec<Extension>>,
        requirements: &PolicyRequirements,
    ) -> Result<(), (usize, PolicyFailure)> {
        let key = rcgen::KeyPair::generate().unwrap();
        let made: Vec<_> = core::iter::once(vec![])
            .chain(chain.into_iter().rev())
            .enumerate()
            .map(|(number, extensions)| {
                let mut issuer = rcgen::CertificateParams::new(vec![]).unwrap();
                issuer
                    .distinguished_name
                    .push(rcgen::DnType::CommonName, format!("{number}"));
                let mut params = issuer.clone();
                params
                    .distinguished_name
                    .push(rcgen::DnType::OrganizationName, "below");
                params.custom_extensions = extensions
                    .into_iter()
                    .map(|(oid, content)| rcgen::CustomExtension::from_oid_content(oid, content))
                    .collect();
                let issuer = rcgen::Issuer::from_params(&issuer, &key);
                params.signed_by(&key, &issuer).unwrap()
            })
            .collect();
        let path: Vec<_> = made
            .iter()
            .rev()
            .map(|made| Node::new(Certificate::parse(made.der()).unwrap(), Source::Stored(0)))
            .collect();
        assert!(path.iter().all(|node| !node.is_self_issued()));
        super::check(&path, requirements)
    }

    fn accepting(number: u16) -> PolicyRequirements {
        let oid = oid(number);
        let mut requirements = PolicyRequirements::new([Oid::from_content(&oid).unwrap().into()]);
        requirements.explicit = true;
        requirements
    }

    #[test]
    fn the_graph_of_a_mapped_policy_does_not_grow() {
        // RFC 9618 §2.1: each CA states two policies and maps each to both, which doubles
        // the tree of RFC 5280 at each level.
        let (one, two) = (oid(1), oid(2));
        let pairs = [(&one, &one), (&one, &two), (&two, &one), (&two, &two)];
        let pairs = pairs.map(|(issuer, subject)| (issuer.clone(), subject.clone()));
        let ca = || vec![policies(&[&one, &two]), mappings(&pairs)];
        let mut chain = vec![vec![policies(&[&one])]];
        chain.extend((0..90).map(|_| ca()));
        assert_eq!(check(chain.clone(), &accepting(2)), Ok(()));
        let none = Err((0, PolicyFailure::NoneAcceptable));
        assert_eq!(check(chain, &accepting(3)), none);
    }

    #[test]
    fn a_policy_is_known_by_the_name_the_anchor_gives_it() {
        let chain = || {
            vec![
                vec![policies(&[&oid(2)])],
                vec![policies(&[&oid(1)]), mappings(&[(oid(1), oid(2))])],
            ]
        };
        assert_eq!(check(chain(), &accepting(1)), Ok(()));
        let none = Err((0, PolicyFailure::NoneAcceptable));
        assert_eq!(check(chain(), &accepting(2)), none);
        let mut inhibited = accepting(1);
        inhibited.inhibit_mapping = true;
        assert_eq!(check(chain(), &inhibited), none);
    }

    #[test]
    fn any_policy_counts_until_it_is_inhibited() {
        let chain = |inhibit: Vec<Extension>| {
            let mut ca = vec![policies(&[ANY])];
            ca.extend(inhibit);
            vec![vec![policies(&[ANY])], vec![policies(&[ANY])], ca]
        };
        let none = Err((0, PolicyFailure::NoneAcceptable));
        assert_eq!(check(chain(vec![]), &accepting(1)), Ok(()));
        assert_eq!(
            check(chain(vec![(INHIBIT_ANY, vec![2, 1, 2])]), &accepting(1)),
            Ok(())
        );
        assert_eq!(
            check(chain(vec![(INHIBIT_ANY, vec![2, 1, 1])]), &accepting(1)),
            none
        );
        let mut inhibited = accepting(1);
        inhibited.inhibit_any = true;
        assert_eq!(check(chain(vec![]), &inhibited), none);
    }

    #[test]
    fn a_ca_can_demand_a_policy() {
        let lenient = PolicyRequirements::default();
        let chain = |after| {
            vec![
                vec![],
                vec![policies(&[ANY])],
                vec![require_explicit(after)],
            ]
        };
        let none = Err((0, PolicyFailure::NoneAcceptable));
        assert_eq!(check(chain(0), &lenient), none);
        assert_eq!(check(chain(2), &lenient), none);
        assert_eq!(check(chain(3), &lenient), Ok(()));
        // At the leaf, 0 means here.
        assert_eq!(check(vec![vec![require_explicit(0)]], &lenient), none);
        assert_eq!(check(vec![vec![require_explicit(1)]], &lenient), Ok(()));
    }

    #[test]
    fn contradictory_extensions_are_refused_where_they_are() {
        let lenient = PolicyRequirements::default();
        let at = |depth| Err((depth, PolicyFailure::Contradictory));
        let any = || vec![policies(&[ANY])];
        let twice = vec![policies(&[&oid(1), &oid(2), &oid(1)])];
        assert_eq!(check(vec![twice, any()], &lenient), at(0));
        assert_eq!(check(vec![vec![policies(&[])]], &lenient), at(0));
        for pair in [(ANY.to_vec(), oid(1)), (oid(1), ANY.to_vec())] {
            assert_eq!(
                check(vec![any(), vec![mappings(&[pair])], any()], &lenient),
                at(1)
            );
        }
        assert_eq!(check(vec![any(), vec![mappings(&[])]], &lenient), at(1));
        assert_eq!(
            check(vec![any(), vec![(CONSTRAINTS, sequence(&[]))]], &lenient),
            at(1)
        );
    }

    #[test]
    fn the_graph_is_limited() {
        let many: Vec<_> = (0..1000).map(oid).collect();
        let many: Vec<_> = many.iter().map(Vec::as_slice).collect();
        let chain = |length| (0..length).map(|_| vec![policies(&many)]).collect();
        let lenient = PolicyRequirements::default();
        assert_eq!(check(chain(2), &lenient), Ok(()));
        assert_eq!(check(chain(4), &lenient), Err((1, PolicyFailure::TooMany)));
    }

    #[test]
    fn an_anchor_alone_has_no_policies_to_check() {
        assert_eq!(check(vec![], &accepting(1)), Ok(()));
    }
}
