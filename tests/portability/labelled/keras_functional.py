import numpy as np
import keras
from keras import Input, Model, Sequential, layers, ops
from keras.layers import (
    LSTM, Activation, Add, Bidirectional, Concatenate, Conv1D, Conv2D, Dense, Embedding, Flatten,
    GlobalAveragePooling2D, LayerNormalization, MaxPooling2D, MultiHeadAttention,
)
from keras.callbacks import EarlyStopping
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import set_random_seed, to_categorical

set_random_seed(0)


def conv_block(x, filters, kernel=3):
    x = Conv2D(filters, kernel, padding="same", kernel_regularizer=l2(1e-4))(x)
    x = layers.BatchNormalization()(x)
    return Activation("relu")(x)


def build_image_model():
    inputs = Input(shape=(8, 8, 1))
    x = conv_block(inputs, 4)
    shortcut = x
    x = conv_block(x, 4)
    x = Add()([x, shortcut])
    x = MaxPooling2D()(x)
    x = GlobalAveragePooling2D()(x)
    outputs = Dense(3, activation="softmax")(x)
    return Model(inputs, outputs, name="image")


def build_text_model(vocab=20, length=6):
    tokens = keras.Input((length,), dtype="int32")
    x = Embedding(vocab, 8)(tokens)
    x = LayerNormalization()(MultiHeadAttention(2, 4)(x, x) + x)
    forward = Bidirectional(LSTM(4))(x)
    local = Flatten()(Conv1D(4, 3)(x))
    joined = Concatenate()([forward, local])
    return keras.Model(tokens, Dense(1)(joined))


image_model = build_image_model()
image_model.compile(optimizer=SGD(0.01, momentum=0.9), loss="categorical_crossentropy", metrics=["accuracy"])
x = np.random.rand(8, 8, 8, 1)
y = to_categorical(np.random.randint(0, 3, 8), 3)
history = image_model.fit(x, y, epochs=1, batch_size=4, verbose=0, callbacks=[EarlyStopping(patience=1)])
scores = image_model.evaluate(x, y, verbose=0)
predicted = image_model.predict(x, verbose=0).argmax(axis=1)
print(sorted(history.history), len(scores), predicted.shape, image_model.count_params())
text_model = build_text_model()
out = text_model(np.ones((2, 6), dtype="int32"))
print(out.shape, len(text_model.get_weights()), text_model.get_layer(index=1).name)
mlp = Sequential([Dense(4, activation="tanh"), layers.Dropout(0.2)])
mlp.add(Dense(2))
logits = mlp(np.ones((3, 5)))
probs = ops.softmax(logits)
loss = keras.losses.CategoricalCrossentropy()(ops.one_hot([0, 1, 0], 2), probs)
mean = ops.mean(ops.matmul(ops.transpose(probs), probs))
print(float(loss), float(mean), ops.shape(probs), ops.convert_to_numpy(ops.argmax(probs, axis=-1)))
schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
metric = keras.metrics.MeanSquaredError()
metric.update_state([0.0, 1.0], [0.5, 0.5])
clone = keras.models.clone_model(mlp)
config = mlp.get_config()
print(float(schedule(3)), float(metric.result()), len(clone.layers), sorted(config)[:2])
normalise = layers.Normalization()
normalise.adapt(x.reshape(8, -1))
resized = layers.Resizing(4, 4)(x)
print(normalise(x.reshape(8, -1)).shape, resized.shape, keras.backend.image_data_format())
init = keras.initializers.GlorotUniform(seed=1)
weights = init((2, 3))
act = keras.activations.get("gelu")
print(weights.shape, act(ops.ones((2,))), keras.random.normal((2,)).shape)
