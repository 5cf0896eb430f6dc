//! Policies of several kinds that decide a request together (5.2).

use crate::ast::Policy;

/// All policies that bear on a request.
///
/// Within a list of one kind, statements are united (5.1), but for boundaries and endpoint
/// policies, each of which must allow, and for levels of service control policies, each of which
/// must allow (5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// Attached to the principal, its groups or its role.
    pub identity: Vec<Policy>,
    /// The resource's policies. `Some` of an empty list: it has none. `None`: the resource's side
    /// is left out, and what is decided is whether the principal's side lets the request through.
    pub resource: Option<Vec<Policy>>,
    /// Permissions boundaries of the principal.
    pub boundary: Vec<Policy>,
    /// Passed when the session was made; `None` if none was.
    pub session: Option<Vec<Policy>>,
    /// Service control policies of the principal's account, from the root down. Empty: none apply.
    pub scp: Vec<Vec<Policy>>,
    /// Resource control policies of the resource's account, from the root down. Empty: none apply.
    /// They only deny: `RCPFullAWSAccess`, which allows everything, is attached at every level and
    /// cannot be detached (5.3), so whether it is listed here makes no difference.
    pub rcp: Vec<Vec<Policy>>,
    /// Policies of the VPC endpoints that the request came through.
    pub vpc_endpoint: Vec<Policy>,
}

/// Where a policy stands in a [`PolicySet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Position in [`PolicySet::identity`].
    Identity(usize),
    /// Position in [`PolicySet::resource`].
    Resource(usize),
    /// Position in [`PolicySet::boundary`].
    Boundary(usize),
    /// Position in [`PolicySet::session`].
    Session(usize),
    /// Level, and position in the level.
    Scp(usize, usize),
    /// Level, and position in the level.
    Rcp(usize, usize),
    /// Position in [`PolicySet::vpc_endpoint`].
    VpcEndpoint(usize),
}

impl PolicySet {
    /// The policy at a place, to be changed.
    pub fn get_mut(&mut self, place: Place) -> Option<&mut Policy> {
        match place {
            Place::Identity(index) => self.identity.get_mut(index),
            Place::Resource(index) => self.resource.as_mut()?.get_mut(index),
            Place::Boundary(index) => self.boundary.get_mut(index),
            Place::Session(index) => self.session.as_mut()?.get_mut(index),
            Place::Scp(at, index) => self.scp.get_mut(at)?.get_mut(index),
            Place::Rcp(at, index) => self.rcp.get_mut(at)?.get_mut(index),
            Place::VpcEndpoint(index) => self.vpc_endpoint.get_mut(index),
        }
    }

    /// All policies with their places, in the order of the fields.
    pub fn policies(&self) -> impl Iterator<Item = (Place, &Policy)> {
        fn list<'p>(
            policies: &'p [Policy],
            place: impl Fn(usize) -> Place + 'p,
        ) -> impl Iterator<Item = (Place, &'p Policy)> {
            policies.iter().enumerate().map(move |(index, policy)| (place(index), policy))
        }
        fn levels<'p>(
            levels: &'p [Vec<Policy>],
            place: impl Fn(usize, usize) -> Place + Copy + 'p,
        ) -> impl Iterator<Item = (Place, &'p Policy)> {
            levels
                .iter()
                .enumerate()
                .flat_map(move |(level, policies)| list(policies, move |index| place(level, index)))
        }
        list(&self.identity, Place::Identity)
            .chain(list(self.resource.as_deref().unwrap_or_default(), Place::Resource))
            .chain(list(&self.boundary, Place::Boundary))
            .chain(list(self.session.as_deref().unwrap_or_default(), Place::Session))
            .chain(levels(&self.scp, Place::Scp))
            .chain(levels(&self.rcp, Place::Rcp))
            .chain(list(&self.vpc_endpoint, Place::VpcEndpoint))
    }
}
