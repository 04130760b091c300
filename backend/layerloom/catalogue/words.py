"""Words of the palette: categories, search words in English and Chinese, links to the documentation."""

from __future__ import annotations

import re

DOCS = "https://docs.pytorch.org/docs/stable"

# Last part of the module that defines a layer.
_MODULES = {
    "conv": "convolution",
    "pooling": "pooling",
    "batchnorm": "normalization",
    "instancenorm": "normalization",
    "normalization": "normalization",
    "activation": "activation",
    "rnn": "recurrent",
    "transformer": "attention",
    "linear": "linear",
    "adaptive": "linear",
    "dropout": "dropout",
    "sparse": "embedding",
    "padding": "padding",
    "upsampling": "resampling",
    "pixelshuffle": "resampling",
    "fold": "shape",
    "flatten": "shape",
    "channelshuffle": "shape",
    "distance": "distance",
    "loss": "loss",
}

# By the name of an operation, first match wins. What no line matches is told by its schema (see operations.py).
_NAMES: tuple[tuple[str, str], ...] = (
    (r"scaled_dot_product_attention|multi_head_attention.*", "attention"),
    (r".*(pool\d?d|pool\d?d_with_indices|unpool\d?d)", "pooling"),
    (r"conv(_\w+)?\d?d?|conv_tbc|convolution|unfold|fold", "convolution"),
    (r"(batch|layer|group|instance|rms|local_response)_norm|normalize", "normalization"),
    (r".*dropout\d?d?", "dropout"),
    (r"embedding(_bag)?|one_hot", "embedding"),
    (r".*_loss|.*cross_entropy.*|kl_div", "loss"),
    (r"linear|bilinear", "linear"),
    (r"interpolate|upsample.*|grid_sample.*|affine_grid.*|pixel_(un)?shuffle", "resampling"),
    (r"pad|constant_pad_nd", "padding"),
    (r"(log_)?softm(ax|in)|gumbel_softmax|.*(relu|sigmoid|shrink)|(hard)?tanh|c?elu|selu|glu|threshold", "activation"),
    (r"(cosine_similarity|pairwise_distance|pdist|cdist|dist)", "distance"),
    (
        r"(matmul|mm|bmm|grouped_mm|mv|dot|vdot|inner|outer|ger|kron|cross|einsum|tensordot|chain_matmul|add(b?mm|mv|r|bmm)|baddbmm"
        r"|matrix_\w+|det|logdet|slogdet|inverse|pinverse|svd|svd_lowrank|pca_lowrank|cholesky\w*|lu\w*|qr|geqrf|orgqr"
        r"|ormqr|lobpcg|trace|triangular_solve|diag\w*|tril|triu|norm|renorm|block_diag|vander)",
        "linear algebra",
    ),
    (
        r"(add|sub|mul|div|pow|mod|neg|pos|abs|truediv|floordiv|true_divide|floor_divide|subtract|multiply|divide|negative|positive"
        r"|remainder|fmod|rsub|float_power|add(cmul|cdiv)|lerp|xlogy|reciprocal|sqrt|rsqrt|square|absolute)",
        "arithmetic",
    ),
    (
        r"(eq|ne|lt|le|gt|ge|equal|not_equal|is_\w+|less(_equal)?|greater(_equal)?|is(close|in|nan|inf|finite|posinf|neginf|real)|allclose"
        r"|maximum|minimum|fmax|fmin|where|logical_\w+|bitwise_\w+|and_|or_|xor|invert|lshift|rshift|signbit)",
        "comparison",
    ),
    (
        r"(getitem|setitem|gather|take\w*|index_\w+|select\w*|masked_\w+|scatter\w*|narrow\w*|searchsorted|bucketize|nonzero\w*|argwhere"
        r"|slice_\w+|put|index|tril_indices|triu_indices|unravel_index|diagonal_scatter|as_strided\w*)",
        "indexing",
    ),
    (
        r"(sum|mean|prod|max|min|a(max|min|minmax)|arg(max|min)|std|var|(std|var)_mean|all|any|median|nan(mean|median|sum|quantile)|mode|logsumexp|quantile"
        r"|count_nonzero|cum\w+|logcumsumexp|bincount|hist\w*|unique\w*|sort|argsort|msort|topk|kthvalue|cov|corrcoef|trapz|trapezoid"
        r"|diff|gradient)",
        "reduction",
    ),
    (
        r"(cat|concat|concatenate|stack|[hvd]stack|column_stack|row_stack|chunk|split\w*|tensor_split|[hvd]split|unsafe_\w+|unbind"
        r"|(re)?shape\w*|view\w*|flatten|unflatten|ravel|permute|transpose|t|T|mT|H|mH|adjoint|swap(axes|dims)|move(axis|dim)|squeeze"
        r"|unsqueeze|expand\w*|broadcast_\w+|repeat\w*|tile|flip|fliplr|flipud|roll|rot90|atleast_\dd|meshgrid|cartesian_prod"
        r"|combinations|contiguous|size|dim|numel|nelement|ndim|ndimension|ndimension|channel_shuffle|sum_to_size|resolve_\w+)",
        "shape",
    ),
)
_COMPILED = tuple((re.compile(pattern), category) for pattern, category in _NAMES)

_BY_CATEGORY: dict[str, tuple[str, ...]] = {
    "convolution": ("卷积", "conv"),
    "pooling": ("池化", "pool"),
    "normalization": ("归一化", "标准化", "norm"),
    "activation": ("激活", "激活函数"),
    "recurrent": ("循环", "循环神经网络", "rnn", "sequence"),
    "attention": ("注意力", "变换器", "transformer"),
    "linear": ("线性",),
    "dropout": ("丢弃", "随机失活", "regularization"),
    "embedding": ("嵌入", "词向量"),
    "padding": ("填充", "pad"),
    "resampling": ("上采样", "插值", "resize"),
    "shape": ("形状", "变形"),
    "distance": ("距离", "相似度"),
    "loss": ("损失", "损失函数", "criterion"),
    "arithmetic": ("算术", "运算"),
    "comparison": ("比较", "逻辑"),
    "indexing": ("索引", "取值"),
    "reduction": ("归约", "统计"),
    "linear algebra": ("线性代数", "矩阵"),
    "fourier": ("傅里叶", "变换", "fft"),
    "special functions": ("特殊函数",),
    "creation": ("创建", "张量"),
    "random": ("随机",),
    "type": ("类型", "转换"),
    "math": ("数学", "逐元素"),
    "in place": ("原地",),
    "initializer": ("初始化",),
    "optimizer": ("优化器",),
    "scheduler": ("学习率", "调度"),
    "metric": ("指标", "度量"),
    "transform": ("变换", "图像", "数据增强"),
}

_BY_LABEL: dict[str, tuple[str, ...]] = {
    "Linear": ("全连接", "线性层", "dense", "fc", "fully connected"),
    "Bilinear": ("双线性",),
    "Identity": ("恒等", "skip", "nothing"),
    "Conv1d": ("一维卷积",),
    "Conv2d": ("二维卷积",),
    "Conv3d": ("三维卷积",),
    "ConvTranspose1d": ("转置卷积", "反卷积", "deconvolution"),
    "ConvTranspose2d": ("转置卷积", "反卷积", "deconvolution"),
    "ConvTranspose3d": ("转置卷积", "反卷积", "deconvolution"),
    "BatchNorm1d": ("批归一化", "bn"),
    "BatchNorm2d": ("批归一化", "bn"),
    "BatchNorm3d": ("批归一化", "bn"),
    "LayerNorm": ("层归一化", "ln"),
    "GroupNorm": ("组归一化", "gn"),
    "InstanceNorm2d": ("实例归一化",),
    "RMSNorm": ("均方根归一化",),
    "MaxPool1d": ("最大池化",),
    "MaxPool2d": ("最大池化", "downsample"),
    "AvgPool2d": ("平均池化", "downsample"),
    "AdaptiveAvgPool2d": ("自适应平均池化", "全局平均池化", "global average pooling", "gap"),
    "AdaptiveMaxPool2d": ("自适应最大池化", "global max pooling"),
    "ReLU": ("线性整流", "修正线性单元", "rectifier"),
    "LeakyReLU": ("带泄漏线性整流",),
    "PReLU": ("参数化线性整流",),
    "GELU": ("高斯误差线性单元",),
    "SiLU": ("swish",),
    "Hardswish": ("swish",),
    "Sigmoid": ("逻辑函数", "logistic"),
    "Tanh": ("双曲正切",),
    "Softmax": ("归一化指数",),
    "GLU": ("门控线性单元", "gated linear unit"),
    "RNN": ("循环神经网络", "elman"),
    "LSTM": ("长短期记忆",),
    "GRU": ("门控循环单元",),
    "MultiheadAttention": ("多头注意力", "self attention", "mha"),
    "TransformerEncoder": ("编码器", "encoder"),
    "TransformerDecoder": ("解码器", "decoder"),
    "TransformerEncoderLayer": ("编码器层", "encoder"),
    "TransformerDecoderLayer": ("解码器层", "decoder"),
    "Embedding": ("词嵌入", "lookup"),
    "Dropout": ("随机丢弃",),
    "Flatten": ("展平", "拉平"),
    "Unflatten": ("反展平", "reshape"),
    "Upsample": ("放大", "upscale"),
    "PixelShuffle": ("像素重排", "sub-pixel"),
    "ZeroPad2d": ("补零",),
    "CrossEntropyLoss": ("交叉熵", "softmax loss", "classification"),
    "NLLLoss": ("负对数似然",),
    "MSELoss": ("均方误差", "l2", "mean squared error"),
    "L1Loss": ("平均绝对误差", "mae", "mean absolute error"),
    "HuberLoss": ("胡伯",),
    "SmoothL1Loss": ("平滑",),
    "BCELoss": ("二元交叉熵", "binary cross entropy"),
    "BCEWithLogitsLoss": ("二元交叉熵", "binary cross entropy"),
    "KLDivLoss": ("散度", "kullback leibler"),
    "CTCLoss": ("连接时序分类",),
    "add": ("加", "相加", "skip", "residual", "残差", "plus", "+"),
    "sub": ("减", "相减", "minus", "-"),
    "mul": ("乘", "相乘", "times", "gate", "*"),
    "div": ("除", "相除", "/"),
    "truediv": ("除", "相除", "divide", "/"),
    "floordiv": ("整除", "//"),
    "mod": ("取余", "%"),
    "pow": ("幂", "乘方", "**"),
    "neg": ("取负", "相反数"),
    "matmul": ("矩阵乘法", "@", "dot product"),
    "bmm": ("批矩阵乘法",),
    "einsum": ("爱因斯坦求和",),
    "cat": ("拼接", "连接", "concat", "concatenate", "merge", "join"),
    "stack": ("堆叠",),
    "chunk": ("分块", "split"),
    "split": ("拆分", "分割"),
    "reshape": ("重塑", "变形"),
    "view": ("视图", "reshape", "变形"),
    "flatten": ("展平", "拉平"),
    "permute": ("换轴", "重排维度"),
    "transpose": ("转置",),
    "T": ("转置", "transpose"),
    "mT": ("转置", "transpose"),
    "squeeze": ("压缩维度", "去维"),
    "unsqueeze": ("增加维度", "加维"),
    "expand": ("扩展", "broadcast"),
    "repeat": ("重复", "tile"),
    "setitem": ("赋值", "覆盖", "assign", "overwrite", "[]="),
    "getitem": ("索引", "切片", "slice", "index", "[]"),
    "mean": ("均值", "平均", "average"),
    "sum": ("求和", "总和"),
    "max": ("最大值",),
    "min": ("最小值",),
    "argmax": ("最大值下标",),
    "std": ("标准差",),
    "var": ("方差",),
    "softmax": ("归一化指数",),
    "relu": ("线性整流",),
    "sigmoid": ("逻辑函数", "logistic"),
    "tanh": ("双曲正切",),
    "exp": ("指数",),
    "log": ("对数",),
    "sqrt": ("平方根",),
    "abs": ("绝对值",),
    "clamp": ("截断", "clip"),
    "where": ("条件选择", "if"),
    "interpolate": ("插值", "缩放", "resize", "upsample"),
    "pad": ("填充", "补零"),
    "scaled_dot_product_attention": ("缩放点积注意力", "sdpa", "flash attention"),
    "shape": ("形状", "size"),
    "dropout": ("随机失活",),
    "zeros": ("全零",),
    "ones": ("全一",),
    "zeros_like": ("全零",),
    "ones_like": ("全一",),
    "arange": ("等差", "序列", "positions"),
    "full": ("填满", "constant", "常数"),
    "gather": ("收集",),
    "masked_fill": ("掩码填充", "mask"),
    "kaiming_normal_": ("恺明", "he", "何恺明"),
    "kaiming_uniform_": ("恺明", "he", "何恺明"),
    "xavier_normal_": ("泽维尔", "glorot"),
    "xavier_uniform_": ("泽维尔", "glorot"),
    "orthogonal_": ("正交",),
    "normal_": ("正态", "gaussian", "高斯"),
    "uniform_": ("均匀",),
    "constant_": ("常数",),
    "zeros_": ("全零",),
    "ones_": ("全一",),
    "trunc_normal_": ("截断正态",),
    "forget_gate_bias": ("遗忘门", "lstm"),
    "SGD": ("随机梯度下降", "momentum", "动量"),
    "Adam": ("自适应矩估计",),
    "AdamW": ("权重衰减", "weight decay"),
    "StepLR": ("阶梯",),
    "CosineAnnealingLR": ("余弦退火", "cosine"),
    "OneCycleLR": ("单周期", "warmup"),
    "LinearLR": ("线性", "warmup", "预热"),
    "ReduceLROnPlateau": ("停滞", "plateau"),
    "ExponentialLR": ("指数", "decay"),
    "MulticlassAccuracy": ("准确率", "正确率", "accuracy"),
    "MulticlassF1Score": ("f1",),
    "MulticlassPrecision": ("精确率", "precision"),
    "MulticlassRecall": ("召回率", "recall"),
    "MulticlassConfusionMatrix": ("混淆矩阵",),
    "MeanSquaredError": ("均方误差", "mse"),
    "MeanAbsoluteError": ("平均绝对误差", "mae"),
    "R2Score": ("决定系数", "r2"),
    "Perplexity": ("困惑度",),
}


def layer_category(cls: type) -> str:
    """Group of a layer in the palette, from the module that defines it."""
    if cls.__name__ == "MultiheadAttention":  # torch keeps it among the activations
        return "attention"
    module = cls.__module__.rpartition(".")[2]
    return _MODULES.get(module, module)


SPOKEN = {"h_n": "hidden", "c_n": "cell", "attn_output": "attended", "attn_output_weights": "attention"}
"""What torch's documentation calls a result in symbols, as a variable's name."""


def spoken(port: str) -> str:
    """A result's name in words."""
    return SPOKEN.get(port, port)


def named_category(label: str) -> str | None:
    """Group of an operation, where its name tells it."""
    return next((category for pattern, category in _COMPILED if pattern.fullmatch(label)), None)


def keywords(label: str, category: str) -> list[str]:
    """Search words of an entry beside its label."""
    return list(dict.fromkeys((*_BY_LABEL.get(label, ()), *_BY_CATEGORY.get(category, ()))))


def link(name: str) -> str:
    """The page that documents a name."""
    if name.startswith("operator."):
        return f"https://docs.python.org/3/library/operator.html#{name}"
    if name.startswith("torch.nn.init."):
        return f"{DOCS}/nn.init.html#{name}"
    if name.startswith("torch.special."):
        return f"{DOCS}/special.html#{name}"
    return f"{DOCS}/generated/{name}.html"
