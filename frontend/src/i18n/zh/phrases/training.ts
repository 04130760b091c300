import type { TrainingPhrase } from "@/i18n/phrases.gen";

export const training: Record<TrainingPhrase, string> = {
  "After step {}: {}.": "第 {} 步之后：{}。",
  "The schedule stays as long as it was. {}": "学习率调度的长度保持不变。{}",
  "the learning rate is {}": "学习率为 {}",
  "the run has {} epochs": "训练共 {} 轮",
  "the run has {} steps": "训练共 {} 步",
  "There is no {} named {}.": "没有名为 {1} 的{0:word}。",
  "The network cannot be copied, so its weights cannot be averaged: {}. Leave the averaging out.":
    "无法复制网络，因此无法平均其权重：{}。请关闭权重平均。",
  "{} of {} tensors": "{1} 个张量中的 {0} 个",
  "the optimizer's state of {} of {} parameters": "{1} 个参数中 {0} 个的优化器状态",
  "Begun with a checkpoint of another run, of its step {}: {}, and {}.":
    "从另一次训练第 {} 步的检查点开始：沿用 {}，以及 {}。",
  "The checkpoint {} cannot be read: {}": "无法读取检查点 {}：{}",
  "The network could not be compiled and trains as it is: {}": "网络无法编译，将按原样训练：{}",
  "Compiled the network's forward pass in {} s.": "编译网络的前向计算用时 {} 秒。",
  "The network returns no tensor to compare with targets.": "网络没有返回可与目标比较的张量。",
  "{} compares {} predictions, and the network returns {}. Return a tuple of that many tensors, or choose another loss.":
    "{} 比较 {} 个预测，而网络返回 {} 个。请返回由相应数量的张量组成的元组，或换用其他损失函数。",
  "The network gives {} for each sample, and the data's targets are {}.":
    "网络对每个样本的输出（{}）与数据的目标（{}）不符。",
  "{} has weights of its own, which would be no part of the network. Draw it as a layer instead.":
    "{} 自身带有权重，这些权重不会成为网络的一部分。请改为在网络中把它画成一层。",
  "{} needs the reduction mean or sum to train with.": "用 {} 训练时，reduction 须为 mean 或 sum。",
  "This machine has no device {}; choose auto or cpu.": "本机没有设备 {}；请选择 auto 或 cpu。",
  "The plan wants {} devices, and this machine has {} of the kind {}. Choose fewer, or the CPU.":
    "训练计划需要 {0} 个设备，而本机只有 {1} 个 {2} 设备。请减少设备数，或改用 CPU。",
  "can't allocate memory": "无法分配内存",
  "out of memory": "内存不足",
  "cannot allocate memory": "无法分配内存",
  " at step {}": "第 {} 步",
  "{} It began{}: {}{}": "{}异常始于{}：{}{}",
  "Memory ran out. Gradient accumulation, which runs a batch in parts, and a smaller batch size need less of it; so do a smaller network and a lower precision. ({})":
    "内存不足。可以使用梯度累积（把一批分几份运行）或减小批大小来节省内存，也可以换用更小的网络或更低的精度。（{}）",
  "The disk is full: {}": "磁盘已满：{}",
  "LBFGS trains all parameters alike; only a frozen group can stand beside it. Choose another optimizer.":
    "LBFGS 以相同方式训练所有参数，除此之外只能有冻结的参数组。请换用其他优化器。",
  "{} has no weight decay. Leave it out of the group {}, or choose AdamW.":
    "{} 不支持权重衰减。请去掉参数组 {} 的权重衰减，或换用 AdamW。",
  "the heads' losses": "各输出的损失",
  "The network returns no output {}; it returns {}.": "网络没有返回名为 {0} 的输出；它返回的是：{1:word}。",
  "There are no targets {}; the network's inputs and the data's other arrays are {}.":
    "没有名为 {0} 的比较对象；网络的输入和数据的其他数组为：{1:word}。",
  "Inputs that are transformed or read from disk cannot be rebuilt.": "经过变换或从磁盘读取的输入不能作为重建目标。",
  "Its targets have {} columns, counted from 0.": "其目标有 {} 列，从 0 开始编号。",
  "compares several predictions": "比较多个预测",
  "sums over the samples": "对样本求和",
  "{} {}, which a head's loss cannot; choose another one.": "{} {}，不能用作单个输出的损失；请换用其他损失函数。",
  "Its targets have {} classes, and the output has {} columns.": "其目标有 {} 个类别，而输出有 {} 列。",
  "The output {} (per sample) cannot be compared with targets {}: {}": "输出 {}（每个样本）无法与目标 {} 比较：{}",
  "Its loss is no single number; choose the reduction mean.": "其损失不是单个数值；请将 reduction 设为 mean。",
  "a single tensor, which has no name": "单个没有名称的张量",
  "Head {}: {}": "第 {} 个输出：{}",
  "Images of layers cannot be taken of this network: {}": "无法为此网络取得各层的图：{}",
  "Resumed from {} at step {}.": "已从检查点 {} 恢复到第 {} 步。",
  "The average over {} epochs is what is kept: {}.": "保留的是 {} 轮的平均权重：{}。",
  "A weight became NaN or infinite by step {}. A smaller learning rate or gradient clipping would help.":
    "截至第 {} 步，有权重变为 NaN 或无穷大。可以尝试减小学习率或裁剪梯度。",
  "Training {} parameters on {} ({}), torch {}, {}; {} samples for training, {} for validation.":
    "在 {1}（{2}）上训练 {0} 个参数，torch {3}，{4}；训练样本 {5} 个，验证样本 {6} 个。",
  "{} gives more than one number, which is no curve. Choose an average, or another metric.":
    "{} 给出多个数值，无法画成曲线。请选择一种平均方式，或换用其他指标。",
  "Metrics cannot compare predictions {} with targets {}.": "指标无法比较预测 {} 与目标 {}。",
  "Mixup and cutmix take images with one label each, and these data are others. Leave them out.":
    "Mixup 和 Cutmix 只适用于每张图像带一个标签的数据，而此数据集不是这样。请不要使用它们。",
  "Mixup and cutmix need a column of the network's output for each class, and it has one. Give it two, or leave them out.":
    "Mixup 和 Cutmix 要求网络的输出对每个类别各有一列，而此输出只有一列。请改为两列，或不使用它们。",
  "The network has no trainable parameter, so nothing can learn.": "网络没有可训练的参数，因此学不到任何东西。",
  "SparseAdam trains only embeddings with sparse=True; this network has other parameters. Choose Adam.":
    "SparseAdam 只能训练设置了 sparse=True 的 Embedding，而此网络还有其他参数。请选择 Adam。",
  "{} cannot use the gradients of an embedding with sparse=True. Choose SGD, or set sparse to False.":
    "{} 无法使用设置了 sparse=True 的 Embedding 的梯度。请选择 SGD，或将 sparse 设为 False。",
  "{} does not take {} of the network's {} parameters ({}): {}. Choose another optimizer.":
    "{0} 不接受网络 {2} 个参数中的 {1} 个（{3}）：{4}。请换用其他优化器。",
  "the loss": "损失函数",
  "The {} was in {} already, which {} in {} was given.": "{1} 中原本就含有 {0:word}，它是 {3} 中 {2} 的输入。",
  "Its forward was finite; the first {} is in the gradient of {} in {}.":
    "前向计算的结果都是有限值；首个 {0:word} 出现在 {2} 中 {1} 的梯度里。",
  "the batch": "批数据",
  " by more than {}": "（改进须超过 {}）",
  "it never was a number": "从未得到有效数值",
  "the best was {}": "最佳值为 {}",
  "Stopping early after epoch {}: {} has not improved{} in the last {} epochs; {}.":
    "第 {0} 轮后提前停止：{1} 在最近 {3} 轮中没有改进{2}；{4}。",
  "The network cannot be copied, so no rate can be tried on it: {}": "无法复制网络，因此无法用它试验学习率：{}",
  "The loss became NaN or infinite at step {}. A smaller learning rate, gradient clipping or another initialization would help.":
    "损失在第 {} 步变为 NaN 或无穷大。可以尝试减小学习率、裁剪梯度或换一种初始化。",
  "The network cannot train on batches of one sample: {}. Choose a larger batch size.":
    "网络无法以每批一个样本的方式训练：{}。请增大批大小。",
  "{} cannot train this network: {}. Choose other arguments, or another {}.":
    "{0:word} 无法训练此网络：{1}。请修改参数，或换用其他{2:word}。",
  "Step {} is done again from step {} on, to see where it began.":
    "从第 {1} 步起重新计算到第 {0} 步，以查明问题从何处开始。",
  "there is nothing to begin from": "没有可以作为起点的状态",
  "the update of {}": "{} 的更新",
  "A warm-up of {} steps leaves nothing of the run's {}. Make it shorter.":
    "训练共有 {1} 步，预热 {0} 步后已无剩余。请缩短预热。",
  "{} ends after {} of the run's {} steps. Leave its length out, or make it as long.":
    "{0} 在 {1} 步后结束，而训练共有 {2} 步。请不要指定其长度，或设为与训练等长。",
  "{} has no parts.": "{} 不能包含其他调度器。",
  "Both the training and the validation part need samples.": "训练集和验证集都必须有样本。",
  "LBFGS cannot scale its gradients for fp16; choose fp32 or bf16.":
    "LBFGS 不支持 fp16 的梯度缩放；请选择 fp32 或 bf16。",
  "LBFGS looks at the loss of the whole batch several times in a step, which no device has alone. Choose another optimizer, or one device.":
    "LBFGS 每一步都要多次计算整批的损失，而单个设备只有其中一份。请换用其他优化器，或只用一个设备。",
  "{} samples for training and {} for validation, in batches of {}, are too few for {} devices to share. Choose fewer devices.":
    "训练样本 {} 个、验证样本 {} 个，批大小 {}，不够 {} 个设备分配。请减少设备数。",
  "The network fails on the data's samples ({}) in {}: {}": "网络以 {1} 处理数据的样本（{0}）时出错：{2}",
  "{} cannot compare the network's output {} (per sample) with targets {} of {}: {}":
    "{0} 无法比较网络的输出 {1}（每个样本）与 {3} 类型的目标 {2}：{4}",
  "The loss is no single number; choose the reduction mean or sum.":
    "损失不是单个数值；请将 reduction 设为 mean 或 sum。",
  "{} takes labels, and mixup and cutmix give shares of several. Choose CrossEntropyLoss, or leave them out.":
    "{} 只接受类别标签，而 Mixup 和 Cutmix 给出的是多个类别的比例。请选择 CrossEntropyLoss，或不使用它们。",
  "The metrics {} do not fit the output: {}": "指标 {} 与输出不匹配：{}",
  "There is no series {} to monitor; this run has {}.": "没有名为 {} 的指标可供监测；此次训练有：{}。",
  "{}, channels last": "{}，channels last",
  "Computing in {}, the fastest way for this network here: {}.": "以 {} 计算，这是此网络在本机上最快的方式：{}。",
  "The data's targets are numbers, so there are no classes to weigh. Leave the weights out.":
    "数据的目标是数值，没有可以加权的类别。请不要设置类别权重。",
  "{} has no weights for classes. Choose CrossEntropyLoss, or leave the weights out.":
    "{} 不支持类别权重。请选择 CrossEntropyLoss，或不设置类别权重。",
  "The classes are weighed twice, here and by {}'s {}. Leave one of them out.":
    "类别被重复加权：除此处外，{} 的 {} 也设置了权重。请去掉其中一处。",
  "There are {} weights for the {} classes of the network's output.": "给出了 {} 个权重，而网络的输出有 {} 个类别。",
  "The weight of the first of two classes is what the other is measured by; it cannot be 0.":
    "两个类别中，第一个的权重是衡量另一个的基准，不能为 0。",
  "usage: python -m layerloom.worker JOB.json": "用法：python -m layerloom.worker JOB.json",
  "event {} was refused: {}": "事件 {} 被拒绝：{}",
  "The service refused an event of the trainer; see the run's log file.":
    "服务拒绝了训练进程的一个事件；详见此次训练的日志文件。",
  "Bearer {}": "Bearer {}",
  "the service answered {}": "服务返回了 {}",
  "delivery failed, trying again: {}: {}": "发送失败，正在重试：{}：{}",
  "attempt {} of run {} is already being trained": "训练 {1} 的第 {0} 次尝试已在进行",
  "Value error, ": "值错误，",
  "The trainer ended before its first step. The log of the report tells more.":
    "训练进程在第一步之前就结束了。详见报告的日志。",
  "rank {} was killed, and the others with it": "进程 rank {} 被终止，其余进程也随之终止",
  "No module named {}": "没有名为 {} 的 Python 模块",
  "that of the group {} is {}": "参数组 {} 的学习率为 {}",
  "{}'s {}": "{} 的 {}",
  "{} {} ({} without it)": "{} {}（不平均时为 {}）",
  "{} threads": "{} 个线程",
  "{} × {}, each": "{} × {}，每个",
  "the layer {}": "层 {}",
  " Its weights have grown to {}.": "其权重已增长到 {}。",
  "The first {} came out of {} in {}.": "第一个 {0} 产生于 {2} 中的 {1}。",
  "{}: {} of {}": "{0}：{2} 中的 {1}",
  "The data have {} classes, and the network's output tells {} apart.":
    "数据有 {} 个类别，而网络的输出只能区分 {} 个。",
  "{} {} ms": "{} {} 毫秒",
};
