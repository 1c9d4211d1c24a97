import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random


def init(key, d=8, heads=2, vocab=11, layers=2):
    key, sub = random.split(key)
    params = {"embed": random.normal(sub, (vocab, d)) * 0.02, "blocks": []}
    for _ in range(layers):
        key, k1, k2, k3, k4 = random.split(key, 5)
        params["blocks"].append({
            "qkv": jax.nn.initializers.glorot_uniform()(k1, (d, 3 * d)),
            "proj": jax.nn.initializers.normal(0.02)(k2, (d, d)),
            "up": random.normal(k3, (d, 4 * d)) / jnp.sqrt(d),
            "down": random.normal(k4, (4 * d, d)) / jnp.sqrt(4 * d),
            "g1": jnp.ones(d),
            "g2": jnp.ones((d,)),
        })
    return params


def rms_norm(x, g, eps=1e-6):
    return x * g * lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + eps)


def attention(block, x, heads):
    t, d = x.shape
    q, k, v = jnp.split(x @ block["qkv"], 3, axis=-1)
    q, k, v = (jnp.reshape(a, (t, heads, d // heads)).transpose(1, 0, 2) for a in (q, k, v))
    scores = jnp.einsum("htd,hsd->hts", q, k) / np.sqrt(d // heads)
    mask = jnp.tril(jnp.ones((t, t), dtype=bool))
    scores = jnp.where(mask, scores, -1e9)
    weights = jax.nn.softmax(scores, axis=-1)
    out = jnp.einsum("hts,hsd->htd", weights, v)
    return out.transpose(1, 0, 2).reshape(t, d) @ block["proj"]


@functools.partial(jax.jit, static_argnames=("heads",))
def forward(params, tokens, heads=2):
    x = jnp.take(params["embed"], tokens, axis=0)
    for block in params["blocks"]:
        x = x + attention(block, rms_norm(x, block["g1"]), heads)
        h = jax.nn.gelu(jnp.matmul(rms_norm(x, block["g2"]), block["up"]))
        x = x + jnp.dot(h, block["down"])
    return jnp.matmul(x, params["embed"].T)


def loss_fn(params, tokens):
    logits = jax.vmap(forward, in_axes=(None, 0))(params, tokens[:, :-1])
    logp = jax.nn.log_softmax(logits)
    picked = jnp.take_along_axis(logp, tokens[:, 1:, None], axis=-1)
    return -picked.mean()


def adam(lr=1e-2, b1=0.9, b2=0.99):
    def init_fn(params):
        zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
        return zeros, zeros, jnp.array(0)

    def update(params, grads, state):
        m, v, t = state
        t = t + 1
        m = jax.tree_util.tree_map(lambda m, g: b1 * m + (1 - b1) * g, m, grads)
        v = jax.tree_util.tree_map(lambda v, g: b2 * v + (1 - b2) * jnp.square(g), v, grads)
        scale = lr * jnp.sqrt(1 - b2 ** t) / (1 - b1 ** t)
        params = jax.tree_util.tree_map(lambda p, m, v: p - scale * m / (jnp.sqrt(v) + 1e-8), params, m, v)
        return params, (m, v, t)

    return init_fn, update


params = init(random.key(0))
tokens = random.randint(random.key(1), (2, 6), 0, 11)
init_fn, update = adam()
state = init_fn(params)
step = jax.jit(jax.value_and_grad(loss_fn))
for i in range(2):
    loss, grads = step(params, tokens)
    params, state = update(params, grads, state)
    print(i, float(loss))
generated = [3]
for _ in range(2):
    logits = forward(params, jnp.array(generated))
    generated.append(int(jnp.argmax(logits[-1])))
print(generated, sum(x.size for x in jax.tree_util.tree_leaves(params)))
