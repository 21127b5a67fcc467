# judged: WIN02
# from numpy 2.4.6: numpy/distutils/misc_util.py, lines 1, 92-97
import os
try:
    # fine: WIN02
    cpu_count = len(os.sched_getaffinity(0))
except AttributeError:
    cpu_count = multiprocessing.cpu_count()
cpu_count = min(cpu_count, 8)
envjobs = int(os.environ.get("NPY_NUM_BUILD_JOBS", cpu_count))
