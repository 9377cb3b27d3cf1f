import { it } from 'vitest'

it.skip('deploy/kubernetes is not tested, as there is no kubectl here: install it from https://kubernetes.io/docs/tasks/tools')
