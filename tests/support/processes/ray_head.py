"""A cluster of Ray, as a process of its own that tests join: prints its address, ends with stdin.

It has a GPU in name alone, so that one can be asked for.
"""

import sys
import tempfile

if __name__ == "__main__":
    import ray

    with tempfile.TemporaryDirectory(prefix="head-", ignore_cleanup_errors=True) as folder:
        context = ray.init(
            address="local",
            num_cpus=2,
            num_gpus=1,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
        )
        print(context.address_info["gcs_address"], flush=True)
        sys.stdin.read()
        ray.shutdown(wait_for_processes=True)
