import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(1)


class Sampling(layers.Layer):
    def call(self, inputs):
        z_mean, z_log_var = inputs
        batch = tf.shape(z_mean)[0]
        dim = tf.shape(z_mean)[1]
        epsilon = tf.random.normal(shape=(batch, dim))
        return z_mean + tf.exp(0.5 * z_log_var) * epsilon


class Linear(keras.layers.Layer):
    def __init__(self, units=4):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b


class Model(keras.Model):
    def __init__(self):
        super(Model, self).__init__()
        self.d1 = layers.Dense(8, activation="relu")
        self.d2 = Linear(4)
        self.sampling = Sampling()
        self.bn = layers.BatchNormalization()
        self.drop = layers.Dropout(0.1)
        self.out = layers.Dense(2)

    def call(self, x, training=False):
        x = self.d1(x)
        x = self.drop(x, training=training)
        x = self.bn(x, training=training)
        x = self.d2(x)
        x = self.sampling((x, tf.zeros_like(x)))
        return self.out(x)


model = Model()
optimizer = keras.optimizers.Adam(learning_rate=1e-3)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
metric = tf.keras.metrics.SparseCategoricalAccuracy()
x = tf.random.uniform((16, 5))
y = tf.cast(tf.reduce_sum(x, axis=1) > 2.5, tf.int32)
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(16).batch(8).prefetch(tf.data.AUTOTUNE)


def train_step(images, labels):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
        loss += tf.add_n([tf.nn.l2_loss(w) for w in model.trainable_variables]) * 1e-4
    grads = tape.gradient(loss, model.trainable_variables)
    grads, norm = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    metric.update_state(labels, logits)
    return loss, norm


for epoch in range(2):
    metric.reset_state()
    for step, (images, labels) in enumerate(dataset):
        loss, norm = train_step(images, labels)
    tf.print("epoch", epoch, loss, norm, metric.result())
probs = tf.nn.softmax(model(x))
best = tf.argmax(probs, axis=-1)
top = tf.math.top_k(probs, k=1)
confusion = tf.math.confusion_matrix(y, best)
print(best.numpy()[:3], top.values.shape, confusion.numpy().sum(), tf.reduce_mean(probs).numpy())
