#!/usr/bin/env python3
"""Judges the program's scaling policy in the reference simulator, beside that simulator's own candidate.

    benchmarks/reference.py                         # ec2, seed 1, all ten traces: some minutes, most of it for the bounds
    benchmarks/reference.py --faults --env k8s --seed 7 --traces flash,onoff --preset eco

The simulator (../shared/autoscale/bench.py) drives `spotter policy --stdio`: a line for what it sees, a line for what is
decided. Each row: J over the lower bound, p95 of the answer in seconds, jobs cut off by scaling in, jobs never answered.
"""
import argparse
import dataclasses
import json
import math
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REFERENCE = os.path.join(ROOT, '..', 'shared', 'autoscale')
sys.dont_write_bytecode = True
sys.path.insert(0, REFERENCE)
try:
    import bench
except ImportError:
    sys.exit(f'The reference simulator is not at {REFERENCE}: there is nothing to measure with.')

STATES = {'boot': 'booting', 'idle': 'idle', 'busy': 'busy'}
PRICES = {'eco': 0.25, 'balanced': 1.0, 'fast': 4.0}


class Program(bench.Policy):
    """The program's policy, asked every tick and at once when a job comes while there is no worker."""
    name, most_recent_first = 'stdio', True

    def __init__(self, preset):
        self.preset = preset

    def begin(self, sim):
        env = sim.env
        self.interval = max(0.25, min(1.0, env.boot / 15))
        self.arrived, self.served, self.booted, self.since = 0, [], [], {}
        self.process = subprocess.Popen([os.path.join(ROOT, 'spotter'), 'policy', '--stdio'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say({'settings': {
            'policy': 'spotter', 'preset': self.preset, 'min': 0, 'max': env.max_workers, 'bootPrior': env.boot,
            'servicePrior': env.service_mean, 'minBill': env.min_bill, 'tick': self.interval}})

    def say(self, line):
        self.process.stdin.write(json.dumps(line) + '\n')

    def on_done(self, sim, seconds):
        self.served.append(seconds)

    def on_ready(self, sim, seconds):
        self.booted.append(seconds)

    def on_enqueue(self, sim):
        self.arrived += 1
        if not sim.workers:
            self.tick(sim)

    def view(self, sim, worker):
        state = 'draining' if worker.draining else STATES[worker.state]
        kind = (state, worker.epoch)
        if self.since.get(worker.id, (None, 0))[0] != kind:
            self.since[worker.id] = (kind, sim.now)
        age = sim.now - worker.launched
        began = {'booting': worker.launched, 'idle': worker.next_look}.get(state, self.since[worker.id][1])
        return {'id': f'w{worker.id}', 'state': state, 'age': age, 'stateAge': max(0, sim.now - began)}

    def tick(self, sim):
        self.say({
            'time': sim.now, 'queued': sim.visible(), 'running': sim.in_flight, 'arrived': self.arrived,
            'workers': [self.view(sim, w) for w in sim.workers.values()], 'served': self.served, 'booted': self.booted})
        self.process.stdin.flush()
        self.served, self.booted = [], []
        decision = json.loads(self.process.stdout.readline())
        workers = {f'w{w.id}': w for w in sim.workers.values()}
        for worker in decision['drain']:
            sim.drain(workers[worker])
        for worker in decision['cancelDrain']:
            workers[worker].draining = False
        if decision['launch']:
            sim.launch(decision['launch'])

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit('spotter policy --stdio ended with an error')


def run(env, trace, policy, repetition):
    result = bench.Sim(env, trace, policy, repetition).run()
    if isinstance(policy, Program):
        policy.end()
    return result


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--env', default='ec2', choices=sorted(bench.ENVS))
    options.add_argument('--seed', type=int, default=1)
    options.add_argument('--traces', default=','.join(bench.SYNTHETIC + bench.RECORDED))
    options.add_argument('--preset', default='balanced', choices=sorted(PRICES))
    options.add_argument('--reps', type=int, default=3)
    options.add_argument('--faults', action='store_true')
    chosen = options.parse_args()

    env, price = bench.ENVS[chosen.env], PRICES[chosen.preset]
    sound = env
    if chosen.faults:
        env = dataclasses.replace(env, boot_fail=0.05, crash=0.005, poison=0.002, boot_spread=0.5)
    ratios = []
    print(f"{'trace':<10}{'reference':>18}{'this program':>18}{'cut off':>9}{'never':>7}")
    for name in chosen.traces.split(','):
        trace = bench.make_trace(name, env, chosen.seed)
        plans = bench.clairvoyant_plans(sound, trace)
        bound = max(b(sound, trace, price, bench.best_by_price(plans, price))
                    for b in (bench.bound_by_prices, bench.bound_by_burst, bench.bound_by_gaps))
        row = []
        for make in (lambda: bench.Spotter(price=price), lambda: Program(chosen.preset)):
            results = [run(env, trace, make(), i) for i in range(chosen.reps)]
            row.append({k: sum(r[k] for r in results) / len(results) for k in results[0]})
        ratios.append([(r['cost'] + price * r['wait']) / bound for r in row])
        cells = [f"{ratio:.3f} ({r['p95']:.0f} s)" for ratio, r in zip(ratios[-1], row)]
        print(f"{name:<10}{cells[0]:>18}{cells[1]:>18}{row[1]['interrupted']:>9.1f}{row[1]['unfinished']:>7.1f}", flush=True)
    means = [math.exp(sum(math.log(r[i]) for r in ratios) / len(ratios)) for i in (0, 1)]
    print(f"{'geo. mean':<10}{means[0]:>18.3f}{means[1]:>18.3f}")


if __name__ == '__main__':
    main()
