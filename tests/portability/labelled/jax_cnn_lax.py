import jax
from jax import jit, lax, numpy as jnp, random, tree_util
from jax.example_libraries import optimizers, stax
from jax.example_libraries.stax import BatchNorm, Conv, Dense, Flatten, LogSoftmax, MaxPool, Relu

init_fun, apply_fun = stax.serial(
    Conv(4, (3, 3), padding="SAME"), BatchNorm(), Relu, MaxPool((2, 2), strides=(2, 2)),
    Flatten, Dense(8), Relu, Dense(3), LogSoftmax,
)
rng = random.PRNGKey(0)
_, net_params = init_fun(rng, (-1, 8, 8, 1))
opt_init, opt_update, get_params = optimizers.momentum(optimizers.exponential_decay(0.01, 10, 0.9), mass=0.9)


def cross_entropy(params, batch):
    inputs, targets = batch
    preds = apply_fun(params, inputs)
    return -jnp.mean(jnp.sum(preds * targets, axis=1))


@jit
def update(i, opt_state, batch):
    params = get_params(opt_state)
    value, g = jax.value_and_grad(cross_entropy)(params, batch)
    g = optimizers.clip_grads(g, 1.0)
    return value, opt_update(i, g, opt_state)


images = random.normal(random.fold_in(rng, 1), (6, 8, 8, 1))
labels = jax.nn.one_hot(random.randint(random.fold_in(rng, 2), (6,), 0, 3), 3)
opt_state = opt_init(net_params)
for i in range(2):
    value, opt_state = update(i, opt_state, (images, labels))
    print(i, value.item())
leaves, treedef = tree_util.tree_flatten(get_params(opt_state))
restored = tree_util.tree_unflatten(treedef, leaves)
count = tree_util.tree_reduce(lambda total, leaf: total + leaf.size, restored, 0)
norms = [jnp.linalg.norm(leaf) for leaf in leaves]
print(count, max(norms), len(norms), jnp.stack(norms).mean())


class Layer:
    def __init__(self, key, n_in, n_out):
        self.w = random.normal(key, (n_in, n_out)) * jnp.sqrt(2.0 / n_in)
        self.b = jnp.zeros(n_out)

    def __call__(self, x):
        return jnp.maximum(jnp.dot(x, self.w) + self.b, 0)

    def spectral(self):
        return jnp.linalg.svd(self.w, compute_uv=False).max()

    def scaled(self, s):
        return self.w.astype(jnp.bfloat16) * s


layer = Layer(rng, 3, 5)
h = layer(jnp.ones((2, 3)))
print(h.shape, layer.spectral(), layer.scaled(2).dtype, layer.w.T.sum(axis=1).cumsum())
pooled = lax.reduce(h, 0.0, lax.add, dimensions=(0, 1))
padded = jnp.pad(h, ((0, 1), (0, 0)), mode="edge")
tiles = jnp.tile(padded, (1, 2)).swapaxes(0, 1)
print(pooled, padded.shape, tiles.repeat(2, axis=0).shape, lax.stop_gradient(h).any())
sharded = jax.device_put(h, jax.devices("cpu")[0])
print(sharded.block_until_ready().max(), jax.device_get(h).sum(), jnp.asarray([1, 2]).nbytes)
bits = jnp.bitwise_xor(jnp.array([1, 2]), 3)
order = jnp.argsort(-h[0])
grid = jnp.meshgrid(jnp.arange(2), jnp.arange(3))
print(bits, order, grid[0].shape, jnp.concatenate([h, h]).shape, jnp.roll(h, 1).ptp())
