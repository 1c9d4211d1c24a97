import tensorflow as tf


def make_generator():
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Dense(4 * 4 * 8, use_bias=False))
    model.add(tf.keras.layers.BatchNormalization())
    model.add(tf.keras.layers.LeakyReLU())
    model.add(tf.keras.layers.Reshape((4, 4, 8)))
    model.add(tf.keras.layers.Conv2DTranspose(4, 5, strides=2, padding="same", use_bias=False))
    model.add(tf.keras.layers.Conv2D(1, 3, padding="same", activation="tanh"))
    return model


def make_discriminator():
    return tf.keras.Sequential([
        tf.keras.layers.Conv2D(4, 5, strides=2, padding="same"),
        tf.keras.layers.LeakyReLU(),
        tf.keras.layers.Dropout(0.3),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(1),
    ])


cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
generator, discriminator = make_generator(), make_discriminator()
g_opt = tf.keras.optimizers.Adam(1e-4)
d_opt = tf.keras.optimizers.Adam(1e-4)


def d_loss_fn(real, fake):
    return cross_entropy(tf.ones_like(real), real) + cross_entropy(tf.zeros_like(fake), fake)


def g_loss_fn(fake):
    return cross_entropy(tf.ones_like(fake), fake)


def step(images):
    noise = tf.random.normal([tf.shape(images)[0], 6])
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fakes = generator(noise, training=True)
        real_out = discriminator(images, training=True)
        fake_out = discriminator(fakes, training=True)
        g_loss, d_loss = g_loss_fn(fake_out), d_loss_fn(real_out, fake_out)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return g_loss, d_loss


images = tf.random.uniform([4, 8, 8, 1], -1, 1)
ds = tf.data.Dataset.from_tensor_slices(images).repeat(1).map(lambda x: tf.image.random_flip_left_right(x)).batch(2)
for batch in ds:
    g_loss, d_loss = step(batch)
print(float(g_loss), float(d_loss), generator.count_params())
sample = generator(tf.zeros([1, 6]), training=False)
picture = tf.cast(tf.clip_by_value((sample[0] + 1) * 127.5, 0, 255), tf.uint8)
encoded = tf.io.encode_png(picture)
decoded = tf.io.decode_png(encoded)
print(tf.reduce_all(tf.equal(decoded, picture)).numpy(), tf.strings.length(encoded).numpy() > 0)
