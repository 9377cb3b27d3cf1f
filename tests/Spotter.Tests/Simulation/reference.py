"""Runs the reference simulator: writes its traces as time,service into FOLDER and prints its figures as JSON.

    python3 -B reference.py PATH-OF-BENCH FOLDER KIND REPETITIONS POLICY,... TRACE,... BOUNDED-TRACE,...
"""
import json
import os
import sys

bench_path, folder, kind, repetitions, policies, traces, bounded = sys.argv[1:]
sys.path.insert(0, bench_path)
import bench  # noqa: E402

env = bench.ENVS[kind]
figures = {}
for name in traces.split(','):
    trace = bench.make_trace(name, env)
    with open(os.path.join(folder, name + '.csv'), 'w') as file:
        file.write('time,service\n')
        file.writelines(f'{a!r},{s!r}\n' for a, s in zip(trace.arrivals, trace.services))
    runs = {}
    for policy in policies.split(','):
        results = [bench.Sim(env, trace, bench.make_policies(env)[policy], i).run() for i in range(int(repetitions))]
        runs[policy] = {k: sum(r[k] for r in results) / len(results) for k in results[0]}
    figures[name] = {'horizon': trace.horizon, 'policies': runs}
    if name in bounded.split(','):
        plans = bench.clairvoyant_plans(env, trace)
        best = bench.best_by_price(plans, 1.0)
        figures[name]['clairvoyant'] = {k: best[k] for k in ('cost', 'wait', 'p95')}
        figures[name]['bounds'] = {str(p): b for p, b in bench.lower_bounds(env, trace, plans).items()}
print(json.dumps(figures))
