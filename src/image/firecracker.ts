/** What starts the image: a unikernel with a PVH note, and its pack as initrd. */
export interface FirecrackerMachine {
  /** Names of files in the folder that Firecracker is started in. */
  kernel: string;
  initrd: string;
  /** RAM in bytes, whole MiB. */
  memoryBytes: number;
}

/**
 * The text of a file for `firecracker --no-api --config-file`: one processor, RAM, kernel, initrd;
 * no disk, no network, no vsock. Names and types: `FullVmConfiguration` in
 * src/firecracker/swagger/firecracker.yaml of Firecracker; `drives` must be there, empty or not
 * (src/vmm/src/resources.rs, VmmConfig).
 */
export function firecrackerConfiguration(machine: FirecrackerMachine): string {
  const configuration = {
    'boot-source': { kernel_image_path: machine.kernel, initrd_path: machine.initrd },
    'machine-config': { vcpu_count: 1, mem_size_mib: machine.memoryBytes / 2 ** 20 },
    drives: [],
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}
