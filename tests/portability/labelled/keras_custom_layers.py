import keras
import numpy as np
from keras import layers
from keras import ops as K


@keras.saving.register_keras_serializable()
class PatchEncoder(layers.Layer):
    def __init__(self, patches, dim, **kwargs):
        super().__init__(**kwargs)
        self.patches = patches
        self.projection = layers.Dense(dim)
        self.position = layers.Embedding(patches, dim)

    def call(self, patch):
        positions = K.arange(0, self.patches)
        return self.projection(patch) + self.position(positions)


class TransformerBlock(keras.Layer):
    def __init__(self, dim, heads, rate=0.1):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads=heads, key_dim=dim)
        self.ffn = keras.Sequential([layers.Dense(dim * 2, activation=keras.activations.gelu), layers.Dense(dim)])
        self.ln1 = layers.LayerNormalization(epsilon=1e-6)
        self.ln2 = layers.LayerNormalization(epsilon=1e-6)
        self.drop = layers.Dropout(rate)

    def call(self, inputs, training=None):
        attended = self.att(inputs, inputs)
        attended = self.drop(attended, training=training)
        out = self.ln1(K.add(inputs, attended))
        return self.ln2(out + self.ffn(out))


class Focal(keras.losses.Loss):
    def call(self, y_true, y_pred):
        y_pred = K.clip(y_pred, 1e-6, 1 - 1e-6)
        pt = K.where(K.equal(y_true, 1), y_pred, 1 - y_pred)
        return K.mean(-K.power(1 - pt, 2.0) * K.log(pt), axis=-1)


def rotate(x, angle):
    c, s = K.cos(angle), K.sin(angle)
    matrix = K.stack([K.stack([c, -s]), K.stack([s, c])])
    return K.einsum("ni,ij->nj", x, matrix)


keras.utils.set_random_seed(0)
inputs = keras.Input((6, 4))
x = PatchEncoder(6, 8)(inputs)
for _ in range(2):
    x = TransformerBlock(8, 2)(x)
x = layers.GlobalAveragePooling1D()(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss=Focal(), metrics=[keras.metrics.BinaryAccuracy()])
data, target = np.random.rand(8, 6, 4), np.random.randint(0, 2, (8, 1))
model.fit(data, target.astype("float32"), batch_size=4, epochs=1, verbose=0)
print(model.predict(data[:1], verbose=0).shape, K.shape(rotate(K.ones((3, 2)), K.array(0.3))))
block = TransformerBlock(4, 1)
print(block(K.zeros((1, 3, 4))).shape, len(block.trainable_variables), keras.backend.backend())
