import { it } from 'vitest'

it.skip('deploy/helm is not tested, as there is no helm here: install it from https://helm.sh/docs/intro/install, or name it with SPOTTER_HELM')
