//! The rights of a program's authority: handed over in two steps with a timelock, and a pause of what may be paused.
//!
//! Each program has one account `Admin` at [`ADMIN_SEED`], which begins with a [`Control`].

use anchor_lang::{address_eq, prelude::*};
use bytemuck::{Pod, Zeroable};

use crate::{error::CommonError, pda::is_zero, slot::Slot};

/// Seed of a program's one `Admin` account.
pub const ADMIN_SEED: &[u8] = b"admin";

/// Slots from a proposal to the first moment at which the proposed authority may accept: about two days, in which
/// everybody can see it coming and the present authority can take it back.
pub const TIMELOCK: u64 = 432_000;

/// Who has a program's authority, who shall have it, and what is paused.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Control {
    /// May do what the program reserves to its authority.
    pub authority: Address,
    /// Shall become the authority; zeros when nobody is proposed.
    pub pending: Address,
    /// First slot in which `pending` may accept; zero when nobody is proposed.
    pub accept_from: u64,
    /// What is paused, by the program's own bits.
    pub paused: u32,
    /// Zero.
    pub padding: [u8; 4],
}

const _: () = assert!(size_of::<Control>() == 80);

impl Control {
    /// Of a fresh `Admin`: nobody proposed, nothing paused.
    ///
    /// # Errors
    /// [`CommonError::BadAuthority`] for the all-zero address.
    pub fn new(authority: Address) -> Result<Self> {
        require!(!is_zero(&authority), CommonError::BadAuthority);
        Ok(Self { authority, ..Zeroable::zeroed() })
    }

    /// Checks that `signer` is the authority.
    ///
    /// # Errors
    /// [`CommonError::NotAuthority`].
    #[inline(never)]
    pub fn check_authority(&self, signer: &Address) -> Result<()> {
        require!(address_eq(signer, &self.authority), CommonError::NotAuthority);
        Ok(())
    }

    /// Proposes a new authority, in place of one proposed before; the time starts anew.
    ///
    /// # Errors
    /// [`CommonError::NotAuthority`]; [`CommonError::BadAuthority`] for the all-zero address.
    pub fn propose(&mut self, signer: &Address, new: Address, now: Slot) -> Result<()> {
        self.check_authority(signer)?;
        require!(!is_zero(&new), CommonError::BadAuthority);
        self.accept_from = now.after(TIMELOCK)?.0;
        self.pending = new;
        Ok(())
    }

    /// The proposed authority takes over.
    ///
    /// # Errors
    /// [`CommonError::NoPendingAuthority`] when nobody or somebody else is proposed; [`CommonError::TimelockRunning`]
    /// earlier than [`TIMELOCK`] slots after the proposal.
    pub fn accept(&mut self, signer: &Address, now: Slot) -> Result<()> {
        let proposed = !is_zero(&self.pending) && address_eq(signer, &self.pending);
        require!(proposed, CommonError::NoPendingAuthority);
        require!(now.0 >= self.accept_from, CommonError::TimelockRunning);
        self.authority = self.pending;
        self.clear();
        Ok(())
    }

    /// The authority takes its proposal back.
    ///
    /// # Errors
    /// [`CommonError::NotAuthority`], [`CommonError::NoPendingAuthority`].
    pub fn cancel(&mut self, signer: &Address) -> Result<()> {
        self.check_authority(signer)?;
        require!(!is_zero(&self.pending), CommonError::NoPendingAuthority);
        self.clear();
        Ok(())
    }

    /// Sets what is paused; all other bits of it start again.
    ///
    /// # Errors
    /// [`CommonError::NotAuthority`].
    pub fn set_pause(&mut self, signer: &Address, bits: u32) -> Result<()> {
        self.check_authority(signer)?;
        self.paused = bits;
        Ok(())
    }

    /// Checks that none of `bits` is paused.
    ///
    /// # Errors
    /// [`CommonError::Paused`].
    pub fn check_running(&self, bits: u32) -> Result<()> {
        require!(self.paused & bits == 0, CommonError::Paused);
        Ok(())
    }

    fn clear(&mut self) {
        self.pending = Address::default();
        self.accept_from = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Address = Address::new_from_array([1; 32]);
    const HEIR: Address = Address::new_from_array([2; 32]);
    const STRANGER: Address = Address::new_from_array([3; 32]);

    fn control() -> Control {
        Control::new(OWNER).expect("an address")
    }

    fn code(error: CommonError) -> Result<()> {
        Err(error.into())
    }

    #[test]
    fn the_zero_address_is_no_authority() {
        assert_eq!(Control::new(Address::default()).map(|_| ()), code(CommonError::BadAuthority));
        assert_eq!(control().propose(&OWNER, Address::default(), Slot(0)), code(CommonError::BadAuthority));
        // Nobody is proposed, which is written as the zero address: it may not accept.
        assert_eq!(control().accept(&Address::default(), Slot(u64::MAX)), code(CommonError::NoPendingAuthority));
    }

    #[test]
    fn authority_passes_in_two_steps_and_not_early() {
        let mut control = control();
        assert_eq!(control.propose(&STRANGER, STRANGER, Slot(10)), code(CommonError::NotAuthority));
        control.propose(&OWNER, HEIR, Slot(10)).expect("by the authority");
        assert_eq!(control.accept(&HEIR, Slot(432_009)), code(CommonError::TimelockRunning));
        assert_eq!(control.accept(&STRANGER, Slot(432_010)), code(CommonError::NoPendingAuthority));
        assert_eq!(control.accept(&OWNER, Slot(432_010)), code(CommonError::NoPendingAuthority));
        assert_eq!(control.authority, OWNER);
        control.accept(&HEIR, Slot(432_010)).expect("in time");
        assert_eq!(control, Control::new(HEIR).expect("an address"));
        assert_eq!(control.accept(&HEIR, Slot(u64::MAX)), code(CommonError::NoPendingAuthority));
        assert_eq!(control.set_pause(&OWNER, 1), code(CommonError::NotAuthority));
    }

    #[test]
    fn a_new_proposal_starts_the_time_anew() {
        let mut control = control();
        control.propose(&OWNER, STRANGER, Slot(0)).expect("by the authority");
        control.propose(&OWNER, HEIR, Slot(431_999)).expect("by the authority");
        assert_eq!(control.accept(&STRANGER, Slot(432_000)), code(CommonError::NoPendingAuthority));
        assert_eq!(control.accept(&HEIR, Slot(432_000)), code(CommonError::TimelockRunning));
        control.accept(&HEIR, Slot(863_999)).expect("432,000 slots later");
    }

    #[test]
    fn a_proposal_can_be_taken_back() {
        let mut control = control();
        assert_eq!(control.cancel(&OWNER), code(CommonError::NoPendingAuthority));
        control.propose(&OWNER, HEIR, Slot(0)).expect("by the authority");
        assert_eq!(control.cancel(&HEIR), code(CommonError::NotAuthority));
        control.cancel(&OWNER).expect("by the authority");
        assert_eq!(control.accept(&HEIR, Slot(u64::MAX)), code(CommonError::NoPendingAuthority));
    }

    #[test]
    fn pause_is_by_bit() {
        let mut control = control();
        assert_eq!(control.set_pause(&STRANGER, 1), code(CommonError::NotAuthority));
        control.set_pause(&OWNER, 0b101).expect("by the authority");
        assert_eq!(control.check_running(0b001), code(CommonError::Paused));
        assert_eq!(control.check_running(0b010), Ok(()));
        assert_eq!(control.check_running(0b110), code(CommonError::Paused));
        control.set_pause(&OWNER, 0).expect("by the authority");
        assert_eq!(control.check_running(u32::MAX), Ok(()));
    }
}
