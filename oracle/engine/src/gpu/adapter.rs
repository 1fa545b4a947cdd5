//! Which of a machine's adapters computes.

use super::Error;

/// How to choose an adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The best there is: discrete before integrated before virtual before software.
    #[default]
    Best,
    /// The same, unless that is a driver that computes on the processor.
    Hardware,
    /// The best whose name contains this, whatever the case.
    Named(String),
}

/// Returns the adapter that `selection` names.
///
/// # Errors
///
/// [`Error::NoAdapter`] and [`Error::AdapterNotFound`].
pub(super) fn choose(selection: &Selection) -> Result<wgpu::Adapter, Error> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Instance::enabled_backend_features();
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    if adapters.is_empty() {
        return Err(Error::NoAdapter);
    }
    // The sort is stable, so that the driver's own order decides between equals.
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    match selection {
        Selection::Best => adapters.into_iter().next().ok_or(Error::NoAdapter),
        Selection::Hardware => {
            let best = adapters.into_iter().next();
            best.filter(|adapter| adapter.get_info().device_type != wgpu::DeviceType::Cpu).ok_or(Error::NoAdapter)
        }
        Selection::Named(wanted) => {
            let needle = wanted.to_lowercase();
            let have: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
            let found = have.iter().position(|name| name.to_lowercase().contains(&needle));
            found
                .and_then(|index| adapters.into_iter().nth(index))
                .ok_or(Error::AdapterNotFound { wanted: wanted.clone(), have })
        }
    }
}

/// Lower is better.
fn rank(device_type: wgpu::DeviceType) -> u8 {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Cpu => 3,
        wgpu::DeviceType::Other => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_hardware_before_software() {
        use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu, Other, VirtualGpu};
        let order = [DiscreteGpu, IntegratedGpu, VirtualGpu, Cpu, Other].map(rank);
        assert!(order.is_sorted());
    }

    #[test]
    fn names_what_there_is_when_the_wanted_adapter_is_missing() {
        let error = choose(&Selection::Named("no such adapter".into())).map(|_| ()).unwrap_err();
        let Error::AdapterNotFound { wanted, have } = error else { panic!("{error}") };
        assert_eq!(wanted, "no such adapter");
        assert!(!have.is_empty());
    }
}
