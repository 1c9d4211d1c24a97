import jax
import jax.numpy as jnp
from jax import grad, jit, random, vmap
from jax.nn import one_hot, relu
from jax.scipy.special import logsumexp


def random_layer_params(m, n, key, scale=1e-2):
    w_key, b_key = random.split(key)
    return scale * random.normal(w_key, (n, m)), scale * random.normal(b_key, (n,))


def init_network_params(sizes, key):
    keys = random.split(key, len(sizes))
    return [random_layer_params(m, n, k) for m, n, k in zip(sizes[:-1], sizes[1:], keys)]


def predict(params, image):
    activations = image
    for w, b in params[:-1]:
        outputs = jnp.dot(w, activations) + b
        activations = relu(outputs)
    final_w, final_b = params[-1]
    logits = jnp.dot(final_w, activations) + final_b
    return logits - logsumexp(logits)


batched_predict = vmap(predict, in_axes=(None, 0))


def accuracy(params, images, targets):
    target_class = jnp.argmax(targets, axis=1)
    predicted_class = jnp.argmax(batched_predict(params, images), axis=1)
    return jnp.mean(predicted_class == target_class)


def loss(params, images, targets):
    preds = batched_predict(params, images)
    return -jnp.mean(preds * targets)


@jit
def update(params, x, y):
    grads = grad(loss)(params, x, y)
    return [(w - 0.01 * dw, b - 0.01 * db) for (w, b), (dw, db) in zip(params, grads)]


params = init_network_params([8, 16, 4], random.PRNGKey(0))
images = random.uniform(random.PRNGKey(1), (10, 8))
labels = one_hot(jnp.arange(10) % 4, 4)
for epoch in range(2):
    params = update(params, images, labels)
print(accuracy(params, images, labels), len(params))
shapes = jax.tree_util.tree_map(jnp.shape, params)
leaves = jax.tree_util.tree_leaves(params)
print(shapes, [leaf.mean() for leaf in leaves], jax.devices()[0].platform)
value, gradient = jax.value_and_grad(loss)(params, images, labels)
print(value.item(), jax.tree.map(lambda g: jnp.abs(g).max(), gradient))
